"""Candidates are written unseen, the best of their beginnings goes on, and nothing else is ever shown."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from counting import CountingDecoder, Noting, alone, finished, request, task

from atelier.workshop.contract import GenerateSpec, Preview, Progress
from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.prompts import validate_brief
from atelier.workshop.engines.text.serving.delivery import deliver
from atelier.workshop.engines.text.serving.drafts import Draft
from atelier.workshop.engines.text.serving.native.decoder import Feed
from atelier.workshop.engines.text.serving.network import network
from atelier.workshop.engines.text.serving.ranking import BEGINNING, Choice, candidate_seeds, choice_for
from atelier.workshop.engines.text.serving.sampling import Sampling
from atelier.workshop.engines.text.serving.scheduler import News, Request, Scheduler

MUG = validate_brief({"subject": "blue mug", "format": "text", "length": "short"})
CHOICE = Choice(MUG, 3, 6)


def of_three(number: int, samples: int, choice: Choice = CHOICE, **changes: Any) -> Request:
    """A request whose every sample is the best of three candidates."""
    given = request(number, seeds=samples * 3, **changes)
    return Request(given.drafts, given.name, given.adapter, flows=given.flows, choice=choice)


def ended(asked: Request) -> list[list[News]]:
    """The news of each sample, until all are done."""
    news: list[list[News]] = [[] for _ in range(asked.samples)]
    while not all(each and each[-1].done for each in news):
        item = asked.inbox.get(timeout=30)
        if isinstance(item, BaseException):
            raise item
        news[item.sample].append(item)
    return news


def best_alone(asked: Request, choice: Choice = CHOICE) -> list[int]:
    """Which drafts the choice takes when each begins on a network of its own."""
    for draft in asked.drafts:
        decoder = CountingDecoder(1)
        decoder.tokens = len(asked.prompt)
        decoder.set_adapter(0, asked.adapter)
        draft.advance(decoder.step([Feed(0, 0, asked.prompt)])[0])
        while not choice.due(draft):
            draft.advance(decoder.step([Feed(0, draft.past, (draft.last,))])[0])
    return [3 * sample + choice.best(asked.drafts[3 * sample :][:3]) for sample in range(asked.samples)]


def drafted(text: str, finish: Any = None) -> Draft:
    draft = Draft(task(), 1)
    draft.text, draft.finish = text, finish
    return draft


# What is chosen -----------------------------------------------------------------------------------------------------


def test_the_best_beginning_names_the_subject_and_is_not_cut_off_and_of_equals_the_first_is_taken() -> None:
    other, named = drafted("We sell many fine things and"), drafted("This mug is blue and holds")
    assert CHOICE.best([other, named, other]) == 1
    assert CHOICE.best([other, named, named]) == 1
    assert CHOICE.best([drafted(named.text, "length"), other, other]) == 1
    done = drafted("A blue mug.", "complete")  # Too short for what was asked, and it will not grow.
    assert CHOICE.best([done, named, done]) == 1


def test_lines_are_judged_whole_and_longer_texts_by_their_beginnings() -> None:
    line = choice_for({**MUG, "format": "tagline"}, 4, 56)
    text = choice_for(MUG, 4, 240)
    assert line is not None
    assert text is not None
    assert (line.tokens, text.tokens) == (56, BEGINNING)
    assert choice_for(MUG, 1, 240) is None


def test_the_seeds_of_candidates_begin_with_the_sample_s_own_and_are_nobody_else_s() -> None:
    assert candidate_seeds(7, 1) == [7]
    seeds = [each for seed in (0, 1, 2, 2**63, 2**64 - 1) for each in candidate_seeds(seed, 8)]
    assert seeds[::8] == [0, 1, 2, 2**63, 2**64 - 1]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= each < 2**64 for each in seeds)


# How it is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slots", [3, 4, 7, 16])
def test_samples_are_what_the_rules_of_drafts_and_of_the_choice_give_alone(slots: int) -> None:
    decoder = CountingDecoder(slots)
    scheduler = Scheduler(decoder)  # type: ignore[arg-type]
    crowd = [of_three(number, samples=1 + number % 3) for number in range(8)]
    single = request(9, seeds=3)
    for asked in (*crowd, single):
        scheduler.submit(asked)
    assert finished(single) == alone(request(9, seeds=3))
    for number, asked in enumerate(crowd):
        ended(asked)
        whole = alone(of_three(number, samples=asked.samples))
        best = best_alone(of_three(number, samples=asked.samples))
        assert [(draft.text, draft.finish) for draft in asked.texts] == [whole[place] for place in best]
    assert len({place % 3 for number in range(8) for place in best_alone(of_three(number, 3))}) == 3
    scheduler.close()
    assert decoder.adapters == [None] * slots


def test_only_the_chosen_one_is_ever_shown_and_the_slots_of_the_others_are_free_at_once() -> None:
    decoder = CountingDecoder(4)
    scheduler = Scheduler(decoder)  # type: ignore[arg-type]
    for number in range(6):
        decoder.steps.clear()
        asked = of_three(number, samples=1)
        scheduler.submit(asked)
        (news,) = ended(asked)
        (text,) = asked.texts
        assert "".join(each.append for each in news) == text.text
        shown = next(place for place, each in enumerate(news) if each.append)
        assert shown >= max(min(len(draft.tokens), CHOICE.tokens) for draft in asked.drafts)
        after = max(0, len(text.tokens) - CHOICE.tokens)
        assert decoder.steps[len(decoder.steps) - after :] == [1] * after
    scheduler.close()


def test_a_request_that_needs_many_slots_is_passed_by_nobody() -> None:
    gate = threading.Event()
    decoder = CountingDecoder(3, gate)
    scheduler = Scheduler(decoder)  # type: ignore[arg-type]
    small = [request(number, seeds=1) for number in range(1, 7)]
    large, order = of_three(0, samples=1), list[str]()
    large.inbox = Noting("large", order)
    for number, asked in enumerate(small):
        asked.inbox = Noting(f"small {number}", order)
    for asked in (*small[:3], large, *small[3:]):
        scheduler.submit(asked)
    gate.set()
    ended(large)
    for asked in small:
        finished(asked)
    scheduler.close()
    assert len(order) == 7
    assert order.index("large") < max(order.index(f"small {number}") for number in range(3, 6))


@pytest.mark.parametrize("news", range(1, 12, 2))
def test_whoever_leaves_while_candidates_are_compared_leaves_no_slot_behind(news: int) -> None:
    decoder = CountingDecoder(4)
    scheduler = Scheduler(decoder)  # type: ignore[arg-type]
    asked = of_three(3, samples=3)
    scheduler.submit(asked)
    for _ in range(news):
        asked.inbox.get(timeout=30)
    scheduler.cancel(asked)
    again = request(0, seeds=4)
    scheduler.submit(again)
    assert finished(again) == alone(request(0, seeds=4))
    assert max(decoder.steps) <= 4
    scheduler.close()
    assert decoder.adapters == [None] * 4


@pytest.mark.parametrize("place", [1, 4])
def test_a_candidate_that_breaks_ends_its_own_request_only(place: int) -> None:
    def breaks(tokens: list[int]) -> str:
        if len(tokens) >= place:
            raise UnicodeError("no such word")
        return ""

    decoder = CountingDecoder(4)
    scheduler = Scheduler(decoder)  # type: ignore[arg-type]
    broken, sound = of_three(2, samples=2, decode=breaks), of_three(1, samples=1)
    for asked in (broken, sound):
        scheduler.submit(asked)
    with pytest.raises(UnicodeError):
        ended(broken)
    ended(sound)
    assert [sound.texts[0].text] == [alone(of_three(1, 1))[best_alone(of_three(1, 1))[0]][0]]
    scheduler.close()
    assert decoder.adapters == [None] * 4


# To the buyer -------------------------------------------------------------------------------------------------------


class Bare:
    """The hand of the base alone."""

    adapter_sha256 = "a" * 64
    adapter = None


def made(scheduler: Scheduler, base: Base, folder: Path, candidates: int, *seeds: int) -> tuple[list[str], list[Any]]:
    """The texts, and the news."""
    news: list[Any] = []
    brief = {"subject": "tea", "format": "tagline", "length": "short"}
    spec = GenerateSpec(request_id="r", adapter_sha256="a" * 64, brief=brief, seeds=seeds)
    hand: Any = Bare()
    outputs = deliver(scheduler, base, hand, spec, folder, news.append, Sampling(), candidates)
    return [(folder / output.file.path).read_text("utf-8") for output in outputs], news


def test_the_same_seed_gives_the_same_text_beside_whichever_other_samples(tiny_base: Base, tmp_path: Path) -> None:
    scheduler = Scheduler(network(tiny_base, slots=6, length=1536, threads=1))
    with closing(scheduler):
        together, news = made(scheduler, tiny_base, tmp_path, 3, 5, 6, 5)
        by_itself, _ = made(scheduler, tiny_base, tmp_path, 3, 6)
        first, _ = made(scheduler, tiny_base, tmp_path, 1, *candidate_seeds(5, 3))
        crowded, _ = made(scheduler, tiny_base, tmp_path, 40, 5)
        as_many_as_fit, _ = made(scheduler, tiny_base, tmp_path, 6, 5)
    assert together[0] == together[2] != together[1]
    assert by_itself == [together[1]]
    assert together[0] in first
    assert crowded == as_many_as_fit
    for sample, text in enumerate(together):
        parts = [item.payload["append"] for item in news if isinstance(item, Preview) and item.sample == sample]
        assert "".join(parts) == text
    done = [item.done for item in news if isinstance(item, Progress)]
    assert done == sorted(done)
    assert all(item.done <= item.planned for item in news if isinstance(item, Progress))
