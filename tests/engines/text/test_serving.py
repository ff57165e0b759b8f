"""Many texts in one batch, each exactly as if it were alone; and the rules of what is shown and never written."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from counting import WORDS, CountingDecoder, Noting, finished, request, task
from hypothesis import given
from hypothesis import strategies as st
from knockout import lean

from atelier.workshop.contract import Busy, Cancelled
from atelier.workshop.engines.text.serving.beginnings import CHUNK
from atelier.workshop.engines.text.serving.drafts import Draft
from atelier.workshop.engines.text.serving.fairness import Turns
from atelier.workshop.engines.text.serving.native.decoder import Feed
from atelier.workshop.engines.text.serving.room import WAITING_MAX
from atelier.workshop.engines.text.serving.sampling import Sampler, Sampling
from atelier.workshop.engines.text.serving.scheduler import Scheduler
from atelier.workshop.engines.text.serving.spelling import Spelling
from atelier.workshop.guardrails import find
from atelier.workshop.marks.text import Mark

PIECES = [b" the", b" ", b"a", b"\n\n", b"\xe2", b"\x82", b"\xac", b"\xc3", b"\xa9t", b".", b" \xf0\x9f", b"\x8e\xa8"]
"""Words and parts of words, and letters in parts, as byte-level tokens have them."""

# One draft, over a vocabulary of whole words ------------------------------------------------------------------------


def wishes(*order: str) -> np.ndarray:
    """Logits that like these words best, in this order."""
    logits = np.zeros(len(WORDS), np.float32)
    for place, word in enumerate(order):
        logits[WORDS.index(word)] = 10 - place
    return logits


def play(draft: Draft, script: Callable[[int], np.ndarray]) -> list[str]:
    """Run a draft to its end on logits that depend on the place only, as the network's do; what it showed."""
    shown = []
    while draft.finish is None:
        shown.append(draft.advance(script(len(draft.tokens))))
    return shown


def say(*words: str) -> Callable[[int], np.ndarray]:
    return lambda place: wishes(words[place] if place < len(words) else "<end>", " blue")


def test_a_draft_shows_whole_words_and_ends_as_it_was_shown() -> None:
    draft = Draft(task(), seed=1)
    shown = play(draft, say(" the", " mug", " is", " blue", "."))
    assert draft.text == "the mug is blue."
    assert "".join(shown) == draft.text
    assert shown[:4] == ["", "the", " mug", " is"]
    assert draft.finish == "complete"


@pytest.mark.parametrize("reveal", [0.0, 0.1, 0.25, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("target", [0, 3, 50])
@pytest.mark.parametrize("tokens_max", [7, 40])
def test_no_more_than_the_revealed_share_is_ever_shown(reveal: float, target: int, tokens_max: int) -> None:
    draft = Draft(task(tokens_max=tokens_max, reveal=reveal, target=target), seed=1)
    shown = "".join(play(draft, say(*([" the", " mug", " is", " blue", "."] * 4))))
    assert draft.text.startswith(shown)
    assert draft.opening() == shown
    assert len(shown.split()) <= reveal * len(draft.text.split()) + 1e-9
    assert len(shown) <= reveal * len(draft.text) + 1e-9
    if reveal == 1:
        assert shown == draft.text


def test_a_text_cut_by_its_length_ends_with_its_last_whole_sentence() -> None:
    draft = Draft(task(tokens_max=8, reveal=0.3), seed=1)
    play(draft, say(" the", " mug", " is", " blue", ".", " the", " mug", " is"))
    assert (draft.text, draft.finish) == ("the mug is blue.", "length")


def test_a_text_without_a_sentence_end_is_cut_at_a_word() -> None:
    draft = Draft(task(tokens_max=3), seed=1)
    play(draft, say(" the", " mug", " is"))
    assert draft.finish == "length"
    assert "the mug is".startswith(draft.text)


def test_a_text_is_never_empty() -> None:
    draft = Draft(task(), seed=1)
    play(draft, lambda place: wishes("<end>", ".", " mug") if place < 2 else wishes("<end>"))
    assert draft.text != ""


@pytest.mark.parametrize("forbidden", [("bad",), ("BAD",), ("bads",), ("is bad",), ("mug is bad",)])
def test_a_forbidden_word_is_taken_back_and_something_else_written(forbidden: tuple[str, ...]) -> None:
    def script(place: int) -> np.ndarray:
        return wishes(*[[" the"], [" mug"], [" is"], [" bad", " blue"], ["."], ["<end>"]][min(place, 5)], " run")

    draft = Draft(task(forbidden=forbidden), seed=1)
    shown = "".join(play(draft, script))
    assert find(draft.text, forbidden) is None
    assert draft.text.split()[0] == "the"
    assert shown == draft.text


def test_a_forbidden_last_word_is_taken_back_too() -> None:
    draft = Draft(task(forbidden=("bad",)), seed=1)
    play(draft, say(" the", " mug", " is", " bad"))
    assert draft.text == "the mug is blue"


def test_a_longer_word_that_begins_like_a_forbidden_one_may_be_written() -> None:
    draft = Draft(task(forbidden=("the",)), seed=1)
    play(draft, say(" then", " run"))
    assert draft.text == "then run"


def test_a_model_that_can_say_nothing_else_ends_with_what_it_had() -> None:
    draft = Draft(task(forbidden=tuple(word.strip() for word in WORDS[3:] if word.strip().isalpha())), seed=1)
    play(draft, lambda place: wishes(" the") if place == 0 else wishes(" bad", " gun", " run", " blue"))
    assert find(draft.text, ("bad", "gun", "run", "blue")) is None
    assert draft.finish is not None


@pytest.mark.parametrize("top_k", [0, 257])
def test_no_more_choices_are_promised_than_there_is_room_for(top_k: int) -> None:
    with pytest.raises(ValueError, match="top_k"):
        Sampling(top_k=top_k)


def test_the_same_seed_draws_the_same_tokens_and_another_seed_others() -> None:
    logits = np.random.default_rng(0).standard_normal((50, 500)).astype(np.float32)

    def drawn(seed: int) -> list[int]:
        sampler = Sampler(seed, Sampling())
        return [sampler.choose(row, (1, 2), ()) for row in logits]

    assert drawn(1) == drawn(1) != drawn(2)


def test_sampling_takes_from_the_likeliest_only_and_never_what_is_banned() -> None:
    logits = np.arange(100, dtype=np.float32) / 10
    sampler = Sampler(1, Sampling(temperature=2.0, top_k=5, top_p=1.0))
    seen = {sampler.choose(logits, (), (97,)) for _ in range(300)}
    assert seen == {94, 95, 96, 98, 99}


class Given:
    """Luck that is given."""

    def __init__(self, chance: float) -> None:
        self.chance = chance

    def random(self) -> float:
        return self.chance


@pytest.mark.parametrize("key", [None, b"a secret of some length", bytes(range(64))])
def test_a_token_is_drawn_by_the_chances_that_the_words_say_and_the_scores_stay(key: bytes | None) -> None:
    random, how = np.random.default_rng(3), Sampling(temperature=0.7, top_k=17, top_p=0.9, repetition=1.3)
    sampler = Sampler(0, how, Mark(key) if key else None)
    for _ in range(20):
        logits = random.integers(-40, 40, 333).astype(np.float32) / 8  # with ties
        before = logits.copy()
        used, banned = random.choice(333, 60).tolist(), random.choice(333, 20, replace=False).tolist()
        expected = logits.copy()
        for token in set(used):
            worse = np.float32(1.3)
            expected[token] = expected[token] / worse if expected[token] > 0 else expected[token] * worse
        expected[banned] = -np.inf
        tokens = np.lexsort((np.arange(333), -expected))[:17]
        chances = np.exp((expected[tokens] - expected[tokens[0]]).astype(float) / 0.7)
        tokens = tokens[: int(np.searchsorted(np.cumsum(chances / chances.sum()), 0.9)) + 1]
        chances = chances[: tokens.size] / chances[: tokens.size].sum()
        heaped = np.cumsum(lean(key, used, tokens.tolist(), chances) if key else chances)
        for chance in np.linspace(0.001, 0.999, 40):
            sampler._random = Given(chance)  # type: ignore[assignment]
            assert sampler.choose(logits, used, banned) == tokens[np.searchsorted(heaped / heaped[-1], chance)]
        assert np.array_equal(logits, before)


def test_the_likeliest_is_taken_without_luck_and_nothing_where_all_is_banned() -> None:
    logits = np.array([1, 3, 3, 2], np.float32)
    sampler = Sampler(0, Sampling(temperature=0, repetition=1))
    assert [sampler.choose(logits, (), banned) for banned in ((), (1,), (1, 2))] == [1, 2, 3]
    with pytest.raises(ValueError, match="banned"):
        sampler.choose(logits, (), (0, 1, 2, 3))


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.lists(st.integers(0, 40), max_size=4))
def test_a_text_that_grows_and_is_cut_reads_as_if_decoded_at_once(pieces: list[bytes], cuts: list[int]) -> None:
    def decode(tokens: list[int]) -> str:
        return b"".join(PIECES[token] for token in tokens).decode("utf-8", errors="replace")

    spelling, tokens = Spelling(decode), []
    for piece in pieces:
        tokens.append(PIECES.index(piece))
        text = spelling.grown(tokens)
        assert text == decode(tokens).lstrip()
        assert spelling.ends(text) == [match.end() for match in re.finditer(r"\S+", text)]
        if cuts and len(tokens) > cuts[-1]:
            tokens = tokens[: cuts.pop()]
            text = spelling.text(tokens)
            assert spelling.ends(text) == [match.end() for match in re.finditer(r"\S+", text)]


# The scheduler, over a network that counts ---------------------------------------------------------------------------


def test_requests_that_join_and_leave_give_what_they_give_alone() -> None:
    alone = []
    for number in range(8):
        scheduler = Scheduler(CountingDecoder(1))  # type: ignore[arg-type]
        asked = request(number, forbidden=("bad",) if number % 2 else ())
        scheduler.submit(asked)
        alone.append(finished(asked))
        scheduler.close()
    decoder = CountingDecoder(3)
    scheduler = Scheduler(decoder)  # type: ignore[arg-type]
    together = [request(number, forbidden=("bad",) if number % 2 else ()) for number in range(8)]
    for asked in together:
        scheduler.submit(asked)
    assert [finished(asked) for asked in together] == alone
    assert max(decoder.steps) == 3
    scheduler.close()


def test_a_beginning_read_before_is_not_read_again_and_changes_nothing() -> None:
    decoder = CountingDecoder(2)
    scheduler = Scheduler(decoder)  # type: ignore[arg-type]
    first, again, other = request(4), request(4), request(4)
    other.name, other.adapter = "adapter of somebody else", "adapter of somebody else"  # type: ignore[assignment]
    texts, read = [], []
    for asked in (first, again, other):
        before = decoder.read
        scheduler.submit(asked)
        texts.append(finished(asked))
        read.append(decoder.read - before)
    remembered = len(first.prompt) // CHUNK * CHUNK
    assert remembered
    assert texts[0] == texts[1] != texts[2]
    written = sum(draft.steps - 1 for draft in first.drafts)
    assert read[0] == len(first.prompt) + written
    assert read[1] == read[0] - remembered
    assert read[2] == len(first.prompt) + sum(draft.steps - 1 for draft in other.drafts)
    scheduler.close()
    assert decoder.closed


def test_whoever_asks_for_much_does_not_crowd_out_the_others() -> None:
    turns = Turns()
    waiting = [("crowd", "one")] * 50 + [("alone", "two")] * 3 + [("crowd", "three")] * 3
    taken = []
    while waiting:
        flows = turns.next(waiting, lambda each: each)
        waiting.remove(flows)
        turns.took(flows, work=10)
        taken.append(flows)
    # Each creator in turn while both have work waiting; among those of a busy creator, each viewer in turn.
    assert [creator for creator, _ in taken[:6]].count("alone") == 3
    assert taken.index(("crowd", "three")) <= 4
    assert taken[0] == ("crowd", "one")


def test_a_flow_that_comes_back_later_owes_and_is_owed_nothing() -> None:
    turns = Turns()
    for _ in range(100):
        turns.took(("early",), 10)
    assert turns.next([("early",), ("late",)], lambda each: each) == ("late",)
    turns.took(("late",), 10)
    turns.took(("early",), 10)
    turns.took(("late",), 10)
    assert turns.next([("late",), ("early",)], lambda each: each) == ("late",)


def test_requests_take_turns() -> None:
    gate = threading.Event()
    scheduler = Scheduler(CountingDecoder(1, gate))  # type: ignore[arg-type]
    big, small = request(0, seeds=4), request(1, seeds=1)
    order = list[str]()
    big.inbox, small.inbox = Noting("big", order), Noting("small", order)
    scheduler.submit(big)
    scheduler.submit(small)
    gate.set()
    finished(small)
    finished(big)
    scheduler.close()
    assert sorted(order) == ["big"] * 4 + ["small"]
    assert order[-1] == "big"


def test_a_cancelled_request_frees_its_rows_and_leaves_the_others_alone() -> None:
    expected = request(1)
    scheduler = Scheduler(CountingDecoder(1))  # type: ignore[arg-type]
    scheduler.submit(expected)
    texts = finished(expected)
    endless, other = request(0, seeds=3, tokens_max=10**6, forbidden=("run",)), request(1)
    scheduler.submit(endless)
    scheduler.cancel(endless)
    scheduler.submit(other)
    assert finished(other) == texts
    scheduler.close()


def test_a_full_house_says_so_and_how_many_are_ahead() -> None:
    gate = threading.Event()
    scheduler = Scheduler(CountingDecoder(1, gate))  # type: ignore[arg-type]
    held = [request(0, seeds=4) for _ in range(WAITING_MAX // 4)]
    for number, asked in enumerate(held):
        asked.flows = (f"viewer {number}",)
        scheduler.submit(asked)
    with pytest.raises(Busy) as caught:  # one text of the first may have a row by now: no room for four others
        scheduler.submit(request(1, seeds=4))
    assert caught.value.ahead > 0
    assert scheduler.ahead(held[-1]) > 0
    gate.set()
    for asked in held:
        finished(asked)
    scheduler.close()


def test_an_error_of_the_network_reaches_every_waiting_caller_and_serving_goes_on() -> None:
    gate = threading.Event()
    decoder = CountingDecoder(1, gate)
    scheduler = Scheduler(decoder)  # type: ignore[arg-type]
    step = decoder.step

    def broken(feeds: Sequence[Feed]) -> np.ndarray:
        decoder.step = step  # type: ignore[method-assign]
        gate.wait(10)
        raise MemoryError("no room")

    decoder.step = broken  # type: ignore[method-assign]
    both = [request(0), request(1)]
    for asked in both:
        scheduler.submit(asked)
    gate.set()
    for asked in both:
        with pytest.raises(MemoryError):
            finished(asked)
    later = request(2)
    scheduler.submit(later)
    assert len(finished(later)) == 2
    scheduler.close()


def test_closing_ends_what_is_in_the_making() -> None:
    gate = threading.Event()
    scheduler = Scheduler(CountingDecoder(1, gate))  # type: ignore[arg-type]
    asked = request(0, seeds=4)
    scheduler.submit(asked)
    threading.Timer(0.05, gate.set).start()
    scheduler.close()
    with pytest.raises(Cancelled):
        finished(asked)
    with pytest.raises(Busy):
        scheduler.submit(request(1))
