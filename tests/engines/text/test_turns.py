"""What holds of turns and of the room to wait in, whoever asks for whatever."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atelier.workshop.contract import Busy
from atelier.workshop.engines.text.serving.fairness import Turns
from atelier.workshop.engines.text.serving.room import FIRST, WAITING_MAX, WIDE_MAX, check_room

pieces = st.tuples(st.sampled_from("abcd"), st.sampled_from("1234"), st.integers(1, 400))


@given(st.lists(pieces, max_size=20), st.lists(pieces, max_size=30), st.lists(pieces, max_size=30))
def test_whoever_is_new_waits_for_no_more_than_one_turn_of_each_creator_and_each_viewer(
    history: list[tuple[str, str, int]], waiting: list[tuple[str, str, int]], later: list[tuple[str, str, int]]
) -> None:
    turns = Turns()
    for creator, viewer, work in history:
        turns.took((creator, viewer), work)
    new = ("new creator", "new viewer", 100)
    line, before = [*waiting, new], []
    while (piece := turns.next(line, lambda each: each[:2])) is not new:
        line.remove(piece)
        turns.took(piece[:2], piece[2])
        before.append(piece)
        if later:
            line.append(later.pop())
    assert max(Counter(creator for creator, _, _ in before).values(), default=0) <= 1
    assert max(Counter(viewer for _, viewer, _ in before).values(), default=0) <= 1


@given(st.lists(st.lists(st.integers(1, 400), min_size=1, max_size=6), min_size=2, max_size=5), st.integers(1, 80))
def test_those_who_always_have_work_waiting_get_equal_shares_to_within_a_piece_of_each(
    works: list[list[int]], count: int
) -> None:
    turns, taken, served = Turns(), Counter[int](), Counter[int]()
    for _ in range(count):
        flow = turns.next(range(len(works)), lambda each: (str(each),))
        work = works[flow][taken[flow] % len(works[flow])]
        turns.took((str(flow),), work)
        taken[flow] += 1
        served[flow] += work
        for one, other in combinations(range(len(works)), 2):
            assert abs(served[one] - served[other]) <= max(works[one]) + max(works[other])


asked = st.tuples(st.sampled_from("abcde"), st.sampled_from("123"), st.integers(1, 9))


@given(st.lists(asked, max_size=120))
def test_three_viewers_never_keep_a_fourth_out_nor_one_creator_another(wanted: list[tuple[str, str, int]]) -> None:
    waiting: list[tuple[tuple[str, str], int]] = []
    for creator, viewer, texts in wanted:
        try:
            check_room((creator, viewer), texts, waiting)
        except Busy:
            continue
        waiting.append(((creator, viewer), texts))
    held, by_viewer, by_creator = 0, Counter[str](), Counter[str]()
    for (creator, viewer), texts in waiting:
        held, by_viewer[viewer], by_creator[creator] = (
            held + texts,
            by_viewer[viewer] + texts,
            by_creator[creator] + texts,
        )
    assert held <= WAITING_MAX
    assert all(count <= WAITING_MAX // 2 for count in by_viewer.values())
    assert all(count <= WIDE_MAX for count in by_creator.values())
    check_room(("another creator", "another viewer"), FIRST, waiting)


def test_who_asks_without_a_name_has_half_of_the_room_for_one_creator() -> None:
    waiting = [(("creator",), 4)] * (WAITING_MAX // 8)
    with pytest.raises(Busy, match="same person") as caught:
        check_room(("creator",), 4, waiting)
    assert caught.value.ahead == len(waiting)
    check_room(("other",), 4, waiting)
