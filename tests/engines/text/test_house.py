"""The house skill's pairs are what they say: valid briefs, and copy that follows them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from atelier.workshop.engines.text.base import Base, base
from atelier.workshop.engines.text.following import LINES, following
from atelier.workshop.engines.text.house import held_out, pairs
from atelier.workshop.engines.text.house.skill import FOLDER, skill, skill_sha256
from atelier.workshop.engines.text.overlap import Collection
from atelier.workshop.engines.text.prompts import FORMATS, validate_brief

ALL = (*pairs(), *held_out())


def test_there_are_as_many_as_promised_and_no_id_is_used_twice() -> None:
    assert len(pairs()) >= 800
    assert len(held_out()) == 100
    assert len({pair.id for pair in ALL}) == len(ALL)
    trades = {pair.trade for pair in pairs()}
    assert len(trades) == 40
    assert not trades & {pair.trade for pair in held_out()}


def test_every_trade_has_every_format_in_both_languages() -> None:
    seen = Counter((p.trade, validate_brief(p.brief)["format"], validate_brief(p.brief)["language"]) for p in pairs())
    assert len(seen) == 40 * 10 * 2
    others = Counter(validate_brief(pair.brief)["format"] for pair in held_out())
    assert set(others.values()) == {10}


def test_copy_keeps_to_the_length_and_names_its_subject() -> None:
    missed = []
    for pair in pairs():
        brief = validate_brief(pair.brief)
        low, high = FORMATS[brief["format"]].words(brief["length"])
        names = re.findall(r"\w{4,}", brief["subject"].casefold())
        named = any(name[:5] in pair.copy.casefold() for name in names) or not names or brief["format"] in LINES
        if not (low <= len(pair.copy.split()) <= high and pair.copy == pair.copy.strip() and named):
            missed.append(pair.id)
    assert not missed


def test_no_copy_repeats_another() -> None:
    texts = [pair.copy for pair in pairs() if len(pair.copy.split()) > 12]
    works = Collection(texts)
    for number, text in enumerate(texts):
        # The longest that two have in common is how French letters end.
        assert works.overlap(text, but=frozenset([number])).longest_run_words < 15, text


# The skill that is shipped ------------------------------------------------------------------------------------------


def test_the_skill_fits_the_base_it_was_trained_on_and_no_other(tiny_base: Base) -> None:
    assert skill(tiny_base, 16) is None


def test_an_adapter_of_less_rank_begins_from_the_base_alone() -> None:
    found = skill(base(), 16)
    assert found is not None
    assert skill(base(), found.rank - 1) is None
    assert skill_sha256()[:12] in (FOLDER.parent / "README.md").read_text("utf-8")


def test_an_adapter_that_begins_from_another_does_what_that_one_does(tiny_base: Base) -> None:
    import torch

    from atelier.workshop.engines.text.lora import begun, fresh

    other = fresh(tiny_base.config, 4, 8.0, 1)
    for up in other.up.values():
        torch.nn.init.normal_(up.detach(), generator=torch.Generator().manual_seed(2))
    mine = begun(other, tiny_base.config, 6, 24.0, 3)
    for name, down in mine.down.items():
        added = mine.scale * mine.up[name] @ down
        assert torch.allclose(added, other.scale * other.up[name] @ other.down[name], atol=1e-5)
        assert down.requires_grad
        assert down[4:].abs().min() > 0


def test_an_adapter_can_be_narrowed_to_what_matters_most_of_it(tiny_base: Base) -> None:
    import torch

    from atelier.workshop.engines.text.lora import Lora, fresh, narrowed

    whole = fresh(tiny_base.config, 6, 12.0, 1)
    random = torch.Generator().manual_seed(2)
    up = {name: torch.randn(values.shape, generator=random) for name, values in whole.up.items()}
    for values in up.values():
        values[:, 3:] *= 0.01
    whole = Lora({name: values.detach() for name, values in whole.down.items()}, up, 6, 12.0)
    half, kept = narrowed(whole, 3)
    assert half.scale == whole.scale
    assert 0.999 < kept < 1
    for name in up:
        added, wanted = half.up[name] @ half.down[name], up[name] @ whole.down[name]
        assert (added - wanted).norm() < 0.03 * wanted.norm()


def test_training_begins_where_the_other_adapter_stands_and_keeps_it_unless_it_finds_better(tiny_base: Base) -> None:
    import torch

    from atelier.workshop.engines.text.crew import crew
    from atelier.workshop.engines.text.examples import Example
    from atelier.workshop.engines.text.fitting import fit, mean_loss
    from atelier.workshop.engines.text.llama import Llama
    from atelier.workshop.engines.text.lora import fresh
    from atelier.workshop.engines.text.recipe import Recipe
    from atelier.workshop.steps import Plan

    chosen = Recipe(rank=4, epochs=1, batch=2, checks=1, threads=1, learning_rate=1e-6)
    works = [Example(n, tuple(range(n, n + 20)), 4, ends=True) for n in range(4)]
    other = fresh(tiny_base.config, 4, 8.0, 1)
    for up in other.up.values():
        torch.nn.init.normal_(up.detach(), std=0.3, generator=torch.Generator().manual_seed(2))
    plan = Plan(lambda _: None, {"train": 1e6})
    plan.enter("train")
    with crew(1, plan.tell) as team:
        model = Llama(tiny_base, torch.float32)
        found = fit(model, works[:2], works[2:], chosen, 0, plan, team, other)
        wanted = mean_loss(model, other, works[2:], team)
        bare = mean_loss(model, None, works[2:], team)
    assert found.curve[0]["validation_loss"] == pytest.approx(wanted, abs=1e-3)
    assert abs(bare - wanted) > 0.01


def test_the_skill_writes_one_line_that_names_its_subject_more_often_than_the_bare_base() -> None:
    from atelier.workshop.engines.text.serving.adapters import load
    from atelier.workshop.engines.text.serving.delivery import task_for
    from atelier.workshop.engines.text.serving.sampling import Sampling
    from atelier.workshop.engines.text.writing import Order, write

    briefs = [validate_brief(pair.brief) for pair in held_out() if pair.brief["format"] in LINES][:12]
    tasks = [task_for(base(), brief, Sampling(temperature=0)) for brief in briefs]

    def score(adapter: Any) -> float:
        texts = write(base(), [Order(replace(task, tokens_max=40), adapter, 1) for task in tasks], 1, lambda _: None)
        return sum(following(text, brief).score for text, brief in zip(texts, briefs, strict=True)) / len(briefs)

    assert score(load(FOLDER, base()).adapter) > score(None) + 0.05
