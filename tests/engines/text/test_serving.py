"""Many texts in one batch, each exactly as if it were alone; and the rules of what is shown and never written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from atelier.workshop.contract import Busy, Cancelled
from atelier.workshop.engines.text import TextEngine
from atelier.workshop.engines.text.guardrails import find
from atelier.workshop.engines.text.serving.drafts import Draft, Task
from atelier.workshop.engines.text.serving.graph import quantise
from atelier.workshop.engines.text.serving.sampling import Sampler, Sampling
from atelier.workshop.engines.text.serving.scheduler import CHUNK, WAITING_MAX, Request, Scheduler

# One draft, over a vocabulary of whole words ------------------------------------------------------------------------

WORDS = ["<end>", " the", " mug", " is", " blue", ".", " bad", " then", " gun", " run"]
END = 0


def decode(tokens: Sequence[int]) -> str:
    return "".join(WORDS[token] for token in tokens)


def task(tokens_max: int = 40, forbidden: tuple[str, ...] = (), **changes: Any) -> Task:
    given = {
        "prompt": (1,),
        "tokens_max": tokens_max,
        "eos": END,
        "specials": frozenset(),
        "decode": decode,
        "forbidden": (lambda text: find(text, forbidden) is not None) if forbidden else None,
        "hold": max((len(phrase.split()) for phrase in forbidden), default=1),
        "window": 20,
        "sampling": Sampling(temperature=0, repetition=1),
    }
    return Task(**{**given, **changes})


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


def test_quantised_weights_are_near_the_given_ones() -> None:
    weights = np.random.default_rng(0).standard_normal((64, 128)).astype(np.float32)
    levels, scales = quantise(weights)
    back = (levels.astype(np.float32) - 128).reshape(64, 4, 32) * scales.reshape(64, 4, 1)
    assert np.abs(back.reshape(64, 128) - weights).max() <= np.abs(weights).max() / 128


# The scheduler, over a network that counts ---------------------------------------------------------------------------


class CountingNetwork:
    """Answers with logits that depend on all tokens of a row; checks that rows are used as the real one needs."""

    def __init__(self, rows: int, gate: threading.Event | None = None) -> None:
        self.rows, self.gate = rows, gate
        self.fed: list[list[int]] = [[] for _ in range(rows)]
        self.names = [""] * rows
        self.steps: list[int] = []
        self.read = 0

    def _logits(self, row: int) -> np.ndarray:
        seed = [*self.fed[row], sum(map(ord, self.names[row]))]
        logits = np.random.default_rng(seed).standard_normal(len(WORDS)).astype(np.float32)
        logits[END] -= 1.5
        return logits

    def set_adapter(self, row: int, name: str, parts: object) -> None:
        self.names[row] = name

    def feed(self, row: int, tokens: np.ndarray, length: int) -> np.ndarray:
        assert len(tokens) <= CHUNK
        if self.gate:
            self.gate.wait(10)
        self.read += len(tokens)
        self.fed[row] = [*self.fed[row][:length], *tokens.tolist()]
        return self._logits(row)

    def step(self, tokens: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        self.steps.append(len(tokens))
        for row, (token, length) in enumerate(zip(tokens.tolist(), lengths.tolist(), strict=True)):
            assert len(self.fed[row]) >= length, "the past of a row was lost"
            self.fed[row] = [*self.fed[row][:length], token]
        return np.stack([self._logits(row) for row in range(len(tokens))])

    def move(self, source: int, target: int, length: int) -> None:
        self.fed[target], self.names[target] = self.fed[source][:length], self.names[source]

    def past(self, row: int, start: int, end: int) -> list[int]:
        return self.fed[row][start:end]

    def set_past(self, row: int, saved: list[int], start: int) -> None:
        assert len(self.fed[row]) >= start, "the past of a row was lost"
        self.fed[row] = [*self.fed[row][:start], *saved]


def request(number: int, seeds: int = 2, **changes: Any) -> Request:
    prompt = tuple(1 + (number + i) % 8 for i in range(5 + 23 * number))
    sampling = Sampling(temperature=1, top_k=8)
    given = task(**{"tokens_max": 30, "prompt": prompt, "sampling": sampling, **changes})
    return Request([Draft(given, seed=10 * number + i) for i in range(seeds)], adapter=f"adapter {number}", parts={})


def finished(asked: Request) -> list[tuple[str, str | None]]:
    left = len(asked.drafts)
    while left:
        item = asked.inbox.get(timeout=30)
        if isinstance(item, BaseException):
            raise item
        left -= item.done
    return [(draft.text, draft.finish) for draft in asked.drafts]


def test_requests_that_join_and_leave_give_what_they_give_alone() -> None:
    alone = []
    for number in range(8):
        scheduler = Scheduler(CountingNetwork(1))  # type: ignore[arg-type]
        asked = request(number, forbidden=("bad",) if number % 2 else ())
        scheduler.submit(asked)
        alone.append(finished(asked))
        scheduler.close()
    network = CountingNetwork(3)
    scheduler = Scheduler(network)  # type: ignore[arg-type]
    together = [request(number, forbidden=("bad",) if number % 2 else ()) for number in range(8)]
    for asked in together:
        scheduler.submit(asked)
    assert [finished(asked) for asked in together] == alone
    assert max(network.steps) == 3
    scheduler.close()


def test_a_beginning_read_before_is_not_read_again_and_changes_nothing() -> None:
    network = CountingNetwork(2)
    scheduler = Scheduler(network)  # type: ignore[arg-type]
    first, again, other = request(4), request(4), request(4)
    other.adapter = "adapter of somebody else"
    scheduler.submit(first)
    texts = finished(first)
    length = len(first.prompt)
    assert network.read == length
    scheduler.submit(again)
    assert finished(again) == texts
    assert network.read == length + length % CHUNK
    scheduler.submit(other)
    assert finished(other) != texts
    assert network.read == 2 * length + length % CHUNK
    scheduler.close()


def test_requests_take_turns() -> None:
    gate = threading.Event()
    scheduler = Scheduler(CountingNetwork(1, gate))  # type: ignore[arg-type]
    big, small = request(0, seeds=4), request(1, seeds=1)
    scheduler.submit(big)
    scheduler.submit(small)
    gate.set()
    finished(small)
    assert sum(draft.finish is not None for draft in big.drafts) < 4
    finished(big)
    scheduler.close()


def test_a_cancelled_request_frees_its_rows_and_leaves_the_others_alone() -> None:
    expected = request(1)
    scheduler = Scheduler(CountingNetwork(1))  # type: ignore[arg-type]
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
    scheduler = Scheduler(CountingNetwork(1, gate))  # type: ignore[arg-type]
    held = [request(0, seeds=4) for _ in range(WAITING_MAX // 4)]
    for asked in held:
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
    network = CountingNetwork(1, gate)
    scheduler = Scheduler(network)  # type: ignore[arg-type]
    step = network.step

    def broken(tokens: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        network.step = step  # type: ignore[method-assign]
        raise MemoryError("no room")

    network.step = broken  # type: ignore[method-assign]
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
    scheduler = Scheduler(CountingNetwork(1, gate))  # type: ignore[arg-type]
    asked = request(0, seeds=4)
    scheduler.submit(asked)
    threading.Timer(0.05, gate.set).start()
    scheduler.close()
    with pytest.raises(Cancelled):
        finished(asked)
    with pytest.raises(Busy):
        scheduler.submit(request(1))


# The real network ----------------------------------------------------------------------------------------------------


@pytest.mark.engine
def test_a_row_of_the_network_gives_the_same_bits_in_any_company(
    text_engine: TextEngine, random_adapter: Callable[..., Any]
) -> None:
    from atelier.workshop.engines.text.base import base
    from atelier.workshop.engines.text.serving.network import Network

    network = Network(base(), rows=5, threads=2)
    tokens = np.random.default_rng(0).integers(100, 40_000, (5, 20))
    lengths = np.array([12, 3, 7, 1, 9], np.int32)
    for row in range(5):
        network.set_adapter(row, str(row), text_engine.load(random_adapter(row)).parts)
        network.feed(row, tokens[row, : lengths[row]], 0)
    places = np.arange(5)
    together = []
    for step in range(4):
        together.append(network.step(tokens[places, lengths + step], lengths + np.int32(step)).copy())
    for row in (0, 3, 4):  # alone in the first row, moved there with its adapter and past
        network.move(row, 0, int(lengths[row]))
        for step in range(4):
            place = lengths[row] + step
            alone = network.step(tokens[row : row + 1, place], np.array([place], np.int32))
            assert np.array_equal(alone[0], together[step][row])


TEXTS = [
    "The kettle has opinions about the morning and shares them at half past six, whether you ask or not.",
    "Once there was a miller who trusted nobody with his keys. He hid them so well that he could not open his door.",
    "Our new jacket keeps the rain out and the warmth in. It folds into its own pocket and comes in four colours.",
    "Dear neighbours, the lift will be out of order on Tuesday from nine to noon. Thank you for using your own legs.",
]


@pytest.mark.engine
def test_what_is_served_is_what_the_exact_network_says_with_and_without_an_adapter(
    text_engine: TextEngine, random_adapter: Callable[..., Any]
) -> None:
    import torch
    from torch.nn.functional import cross_entropy

    from atelier.workshop.engines.text import lora
    from atelier.workshop.engines.text.base import base
    from atelier.workshop.engines.text.llama import Llama
    from atelier.workshop.engines.text.serving.network import Network

    folder = random_adapter(5, rank=8, strength=0.1)
    encoded = [base().tokenizer().encode(text).ids for text in TEXTS]
    tokens = np.array([ids[: min(map(len, encoded))] for ids in encoded], np.int64)
    following = torch.from_numpy(tokens[:, 1:]).flatten()
    network, exact = Network(base(), rows=4, threads=2), Llama(base())

    def served() -> torch.Tensor:
        steps = range(tokens.shape[1] - 1)
        logits = [network.step(tokens[:, place], np.full(4, place, np.int32)).copy() for place in steps]
        return torch.from_numpy(np.stack(logits, axis=1)).flatten(0, 1)

    def wanted(adapter: lora.Lora | None) -> torch.Tensor:
        with torch.no_grad():
            logits = exact.logits(exact.hidden(tokens.tolist(), adapter))
        return logits.reshape(4, tokens.shape[1], -1)[:, :-1].flatten(0, 1)

    plain, exact_plain = served(), wanted(None)
    for row in range(4):
        network.set_adapter(row, "one", text_engine.load(folder).parts)
    adapted, exact_adapted = served(), wanted(lora.load(folder, base()))
    perplexity, exact_perplexity = (cross_entropy(logits, following).exp() for logits in (plain, exact_plain))
    assert float(perplexity) <= 1.02 * float(exact_perplexity)
    effect = (exact_adapted - exact_plain).abs().mean()
    assert (plain - exact_plain).abs().mean() < effect / 3
    assert (adapted - exact_adapted).abs().mean() < effect / 3


@pytest.mark.engine
def test_reading_a_prompt_in_chunks_is_as_near_the_exact_base_as_one_token_at_a_time(text_engine: TextEngine) -> None:
    from atelier.workshop.engines.text.base import base
    from atelier.workshop.engines.text.serving.network import Network

    network = Network(base(), rows=2, threads=2)
    tokens = np.array(base().tokenizer().encode("The baker opens before the birds and sells the last loaf " * 5).ids)
    for start in range(0, len(tokens), CHUNK):
        whole = network.feed(0, tokens[start : start + CHUNK], start).copy()
    for place, token in enumerate(tokens):
        single = (
            network.step(np.array([token]), np.array([place], np.int32))[0] if place else network.feed(0, tokens[:1], 0)
        )
    assert int(whole.argmax()) == int(single.argmax())
    assert np.abs(whole - single).mean() < 0.5
