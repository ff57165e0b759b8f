"""The hidden mark in text: it distorts no chance, is found by its own key, and its p-values are what they say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest
from knockout import lean, signs, tournament

from atelier.workshop.marks.text import CONTEXT, LAYERS, WEIGHTS, Mark, _tail, read

VOCABULARY = 300


def key(number: int) -> bytes:
    return hashlib.sha256(f"key {number}".encode()).digest()


def write(mark: Mark | None, length: int, seed: int, language: int = 0) -> list[int]:
    """Tokens of a made-up language, in which twelve tokens may follow each other token with unequal chances."""
    source, tokens = np.random.default_rng(seed), [0]
    while len(tokens) < length:
        after = np.random.default_rng([language, tokens[-1]])
        candidates = after.choice(VOCABULARY, 12, replace=False).tolist()
        chances = after.dirichlet(np.full(12, 0.7))
        leaning = lean(mark.key, tokens, candidates, chances) if mark else chances
        tokens.append(int(source.choice(candidates, p=leaning / leaning.sum())))
    return tokens


def p_value(tokens: Sequence[int], number: int) -> float:
    return read(tokens, [key(number)])[0].p_value


def test_a_tournament_is_the_knock_out_it_stands_for() -> None:
    chances, sign = np.array([0.5, 0.3, 0.2]), np.array([[0, 1, 1]])
    met = np.outer(chances, chances)
    wins = [
        sum(met[x, y] * (1 if x == y else 2 * (sign[0, x] > sign[0, y]) + (sign[0, x] == sign[0, y])) for y in range(3))
        for x in range(3)
    ]
    assert tournament(chances, sign) == pytest.approx(wins)


def test_over_all_keys_every_token_keeps_its_chance() -> None:
    chances = np.array([0.45, 0.3, 0.15, 0.07, 0.03])
    leant = np.array([tournament(chances, signs(key(n), (1, 2, 3, 4), range(5))) for n in range(3000)])
    assert leant.sum(axis=1) == pytest.approx(1)
    error = leant.std(axis=0) / np.sqrt(len(leant))
    assert np.all(np.abs(leant.mean(axis=0) - chances) < 4 * error)
    assert leant.max(axis=1).mean() > 0.9, "a mark that leans on nothing cannot be found"


def test_a_mark_is_found_by_its_key_only_whole_cropped_and_edited() -> None:
    tokens = write(Mark(key(1)), 200, seed=5)
    edited = [VOCABULARY + n if n % 10 == 3 else token for n, token in enumerate(tokens)]
    for text in (tokens, tokens[70:150], edited):
        assert p_value(text, 1) < 1e-4
        assert p_value(text, 2) > 0.001
    assert p_value(write(None, 200, seed=5), 1) > 0.001


def test_p_values_of_unmarked_texts_are_below_a_bound_as_often_as_it_says() -> None:
    texts = [write(None, 80, seed) for seed in range(20)]
    keys = [key(n) for n in range(200)]
    found = np.array([[reading.p_value for reading in read(tokens, keys)] for tokens in texts]).ravel()
    for bound in (0.5, 0.1, 0.01):
        spread = np.sqrt(bound * (1 - bound) / found.size)
        assert abs((found < bound).mean() - bound) < 4 * spread


@pytest.mark.parametrize("places", [3, 20, 60])
def test_p_values_are_near_the_exact_ones(places: int) -> None:
    steps = np.rint(WEIGHTS * (LAYERS - 1)).astype(int)  # the weights are whole numbers in this unit
    assert np.allclose(WEIGHTS * (LAYERS - 1), steps)
    exact = np.zeros(places * int(steps.sum()) + 1)
    exact[0] = 1
    for step in steps:
        for _ in range(places):
            exact[step:] = (exact[step:] + exact[:-step]) / 2
            exact[:step] /= 2
    tails = np.cumsum(exact[::-1])[::-1]
    source = np.random.default_rng(places)
    for leaning in (0.35, 0.5, 0.505, 0.55, 0.6, 0.65):
        ones = source.binomial(places, leaning, LAYERS)
        assert _tail(ones, places) == pytest.approx(tails[int(steps @ ones)], rel=0.03)


def test_the_surest_marks_have_p_values_too() -> None:
    assert _tail(np.full(LAYERS, 400), 400) == 1e-300
    assert _tail(np.full(LAYERS, 1), 1) == pytest.approx(0.5**LAYERS)
    assert 0 < _tail(np.full(LAYERS, 90), 100) < 1e-100
    assert 1 - 1e-12 < _tail(np.zeros(LAYERS, int), 100) <= 1


def test_where_the_same_tokens_stood_before_nothing_is_marked_and_nothing_read() -> None:
    candidates, chances = [7, 8, 9], np.array([0.5, 0.3, 0.2])
    for written in ([1, 2, 3], [1, 2, 3, 4, 9, 1, 2, 3, 4]):
        assert lean(key(1), written, candidates, chances) is chances
    assert not np.allclose(lean(key(1), [1, 2, 3, 4, 9, 1, 2, 3, 5], candidates, chances), chances)
    assert read([1, 2, 3, 4, 5] * 40, [key(1)])[0].places == 5
    assert read([1, 2, 3, 4, 5, 6, 7], [key(1)])[0].places == 7 - CONTEXT


@pytest.mark.parametrize("tokens", [[], [1], [1, 2, 3, 4]])
def test_a_text_too_short_for_any_place_shows_nothing(tokens: list[int]) -> None:
    (reading,) = read(tokens, [key(1)])
    assert (reading.places, reading.p_value) == (0, 1.0)


def test_signs_belong_to_key_context_and_token() -> None:
    first = signs(key(1), (1, 2, 3, 4), (5, 6))
    assert first.shape == (LAYERS, 2)
    assert np.array_equal(first[:, 1], signs(key(1), (1, 2, 3, 4), (6,))[:, 0])
    others = [signs(key(2), (1, 2, 3, 4), (5,)), signs(key(1), (1, 2, 4, 3), (5,)), first[:, 1:]]
    assert not any(np.array_equal(first[:, :1], other) for other in others)


@pytest.mark.parametrize("wrong", [b"", b"x" * 15, b"x" * 65])
def test_a_key_of_another_length_is_refused(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="16 to 64"):
        Mark(wrong)
