"""Copies are found, and different works are not taken for copies."""

from __future__ import annotations

import itertools
import json
import random
from functools import cache
from pathlib import Path

import pytest

from atelier.workshop.contract import Fingerprint
from atelier.workshop.engines.text.fingerprints import EXACT, MINHASH, NEAR_AT, fingerprints, similarity

TEXT = """The kettle has opinions about the morning and shares them at half past six. You fill it, you wait, you
listen to it grumble its way to the boil, and by the time the cup is warm in your hands the day has already asked its
first question and decided not to wait for an answer."""


@cache
def marks(text: str) -> dict[str, Fingerprint]:
    return {mark.scheme: mark for mark in fingerprints(text)}


def found(left: str, right: str) -> bool:
    """As the market looks for near copies: a shared band first, then the similarity."""
    one, other = marks(left)[MINHASH], marks(right)[MINHASH]
    return bool(set(one.bands) & set(other.bands)) and similarity(one, other) >= NEAR_AT


@pytest.fixture(scope="module")
def fables(shared_data: Path) -> list[str]:
    entries = json.loads((shared_data / "aesop_for_children.json").read_text(encoding="utf-8"))
    return [entry["fable"] for entry in entries]


def test_the_same_words_in_another_dress_are_exact_copies() -> None:
    dressed = TEXT.upper().replace(" ", "  ").replace(",", " –")
    assert similarity(marks(TEXT)[EXACT], marks(dressed)[EXACT]) == 1
    assert similarity(marks(TEXT)[EXACT], marks(TEXT + " Yes.")[EXACT]) == 0


def test_accents_and_case_do_not_hide_a_copy() -> None:
    assert marks("Un été à la plage, déjà fini.")[EXACT] == marks("un ete a la plage deja FINI")[EXACT]


def test_bands_are_63_bit_and_the_same_in_every_process() -> None:
    bands = marks(TEXT)[MINHASH].bands
    assert len(set(bands)) == len(bands) == 42
    assert all(0 <= band < 1 << 63 for band in bands)
    assert bands[0] == 8496182427023559699  # kept in databases: must never change within a scheme


def test_a_text_without_words_has_no_fingerprint() -> None:
    assert fingerprints("… — !") == ()


def test_one_word_still_has_a_fingerprint() -> None:
    assert similarity(marks("Hello!")[MINHASH], marks("hello")[MINHASH]) == 1


def test_different_schemes_have_nothing_in_common() -> None:
    assert similarity(marks(TEXT)[EXACT], marks(TEXT)[MINHASH]) == 0


def test_a_paragraph_that_moved_is_found() -> None:
    sentences = TEXT.split(". ")
    assert found(TEXT, ". ".join(reversed(sentences)))


def test_different_fables_are_never_taken_for_copies(fables: list[str]) -> None:
    wrong = [pair for pair in itertools.combinations(range(len(fables)), 2) if found(fables[pair[0]], fables[pair[1]])]
    assert wrong == []


def test_fables_with_every_tenth_word_changed_are_still_found(fables: list[str]) -> None:
    choice = random.Random(5)
    vocabulary = sorted({word for fable in fables for word in fable.split()})
    missed = 0
    for fable in fables:
        words = fable.split()
        for place in choice.sample(range(len(words)), len(words) // 10):
            words[place] = choice.choice(vocabulary)
        missed += not found(fable, " ".join(words))
    assert missed <= len(fables) // 50
