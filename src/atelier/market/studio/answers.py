"""The proof as pages and API show it: four questions, each answered in plain words, with a picture and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

QUESTIONS = ("fidelity", "worth", "copying", "safety")


@dataclass(frozen=True)
class Question:
    """One of the four questions with its answer.

    `headline` is never empty; `picture` is a `Picture` of the contract as plain data, or None where nothing can be
    compared; `rows` are the figures {name, label, value, low, high, unit, meaning, exact}.
    """

    slug: str
    title: str
    verdict: str
    headline: str
    sentence: str
    picture: dict[str, Any] | None
    rows: list[dict[str, Any]]


def questions_of(evaluation: Mapping[str, Any], *, to_creator: bool) -> list[Question]:
    """The four questions of a stored proof in the order in which a person asks them; those it does not answer are left
    out. They are asked as the creator asks, or as anybody else does, in the engine's words where it has any.
    """
    titles = _asked_by_the_creator() if to_creator else _asked_by_anyone()
    answered = [(slug, evaluation[slug]) for slug in QUESTIONS if evaluation.get(slug)]
    words = ("headline",) if to_creator else ("headline_public", "headline")
    asked = ("question",) if to_creator else ("question_public",)
    return [_question(slug, titles[slug], answer, words, asked) for slug, answer in answered]


def _asked_by_the_creator() -> dict[str, str]:
    return {
        "fidelity": _("Is it nearer to you than the base?"),
        "worth": _("Does it beat the base with a good prompt?"),
        "copying": _("Does it copy your works?"),
        "safety": _("Does it keep your guardrails?"),
    }


def _asked_by_anyone() -> dict[str, str]:
    return {
        "fidelity": _("Is it near its creator?"),
        "worth": _("Is it better than a good prompt?"),
        "copying": _("Does it copy?"),
        "safety": _("What does it refuse?"),
    }


def _question(slug: str, title: str, answer: Mapping[str, Any], words: Sequence[str], asked: Sequence[str]) -> Question:
    verdict = answer.get("verdict", "unknown")
    measures = answer.get("measures") or {}
    return Question(
        slug=slug,
        title=next(filter(None, map(answer.get, asked)), None) or title,
        verdict=verdict,
        headline=next(filter(None, map(answer.get, words)), None) or verdict_words(verdict),
        sentence=answer.get("sentence", ""),
        picture=answer.get("picture") or compared(measures),
        rows=[
            {
                "name": name,
                "label": name.replace("_", " ").capitalize(),
                "exact": measure["low"] == measure["value"] == measure["high"],
                **measure,
            }
            for name, measure in measures.items()
        ],
    )


def verdict_words(verdict: str) -> str:
    """A verdict in one word or two, for an answer that has no words of its own."""
    return {
        "good": pgettext("verdict", "Good"),
        "fair": pgettext("verdict", "Fair"),
        "poor": pgettext("verdict", "Poor"),
    }.get(verdict, pgettext("verdict", "Not known"))


def compared(measures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """A picture for a proof that was stored without one: what was measured on this version and on others.

    That is the first `x_adapter` that stands beside another `x_…`; None where there is none.
    """
    for name, ours in measures.items():
        stem, _mark, who = name.rpartition("_")
        family = {name: ours} | {
            other: measure for other, measure in measures.items() if stem and other.startswith(f"{stem}_")
        }
        if who != "adapter" or not stem or len(family) < 2:
            continue
        alike = {other: measure for other, measure in family.items() if measure.get("unit") == ours.get("unit")}
        bars = [
            {
                "label": _name_of(other.removeprefix(f"{stem}_")),
                **{key: measure[key] for key in ("value", "low", "high")},
                "ours": other == name,
            }
            for other, measure in alike.items()
            if not other.endswith("_drop")
        ]
        if len(bars) > 1:
            meaning = str(ours.get("meaning", ""))
            return {
                "title": meaning[:1].upper() + meaning[1:],
                "bars": bars,
                "least": min(0.0, *(bar["low"] for bar in bars)),
                "most": max(0.0, *(bar["high"] for bar in bars)) or 1.0,
                "unit": ours.get("unit", ""),
            }
    return None


def _name_of(suffix: str) -> str:
    known = {"adapter": _("This version"), "base": _("The base model")}
    return known.get(suffix, _("The base model, given a reference"))
