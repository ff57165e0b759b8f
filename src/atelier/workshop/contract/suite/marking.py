"""Tests of the hidden mark, for engines that set one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from atelier.workshop.contract.engine import Engine, MarkingEngine
from atelier.workshop.contract.errors import Unreadable
from atelier.workshop.contract.specs import GenerateSpec

from .means import Made, Means, assert_survives_json
from .watching import writes_outside

KEYS = tuple(hashlib.sha256(f"a mark key for tests {n}".encode()).hexdigest() for n in range(4))
SEEDS = (1, 2, 3, 4)
SURE = 0.001


class Marking(Means):
    """Marks are found by their own key and by no other. Skipped for engines without `detect`."""

    @pytest.fixture(scope="class")
    @classmethod
    def marking(cls, engine: Engine) -> MarkingEngine:
        if not isinstance(engine, MarkingEngine):
            pytest.skip("this engine marks nothing")
        return engine

    def test_a_mark_is_found_by_its_key_and_by_no_other(
        self, marking: MarkingEngine, make: Callable[..., Made]
    ) -> None:
        own, *others = _least(marking, make(seeds=SEEDS, mark_key=KEYS[0]), KEYS)
        assert own < SURE
        assert min(others) >= SURE
        last = _least(marking, make(seeds=SEEDS, mark_key=KEYS[-1]), KEYS)
        assert last[-1] < SURE <= min(last[:-1])

    def test_what_is_made_without_a_key_is_unmarked(self, marking: MarkingEngine, make: Callable[..., Made]) -> None:
        assert min(_least(marking, make(seeds=SEEDS), KEYS)) >= SURE

    def test_the_same_seed_and_key_make_the_same(self, marking: MarkingEngine, make: Callable[..., Made]) -> None:
        assert make(mark_key=KEYS[0]).masters() == make(mark_key=KEYS[0]).masters()

    def test_looking_for_marks_answers_key_by_key_and_writes_nothing(
        self, marking: MarkingEngine, make: Callable[..., Made], cache_folders: list[Path]
    ) -> None:
        made = make(mark_key=KEYS[0])
        file = made.workspace / made.outputs[0].file.path
        with writes_outside(cache_folders) as strays:
            traces = marking.detect(file, KEYS)
            assert marking.detect(file, KEYS[::-1]) == traces[::-1]
            assert marking.detect(file, ()) == []
        assert strays == []
        assert len(traces) == len(KEYS)
        for trace in traces:
            assert_survives_json(trace)
            assert trace.places >= 0

    def test_a_bad_file_is_refused_or_shows_nothing(self, marking: MarkingEngine, bad_uploads: list[Path]) -> None:
        for path in bad_uploads:
            with suppress(Unreadable):
                assert min(trace.p_value for trace in marking.detect(path, KEYS)) >= SURE, path.name

    def test_a_key_is_not_told_in_passing(self) -> None:
        spec = GenerateSpec(request_id="r", adapter_sha256="0" * 64, brief={}, seeds=(1,), mark_key=KEYS[0])
        assert KEYS[0] not in f"{spec!r} {spec}"


def _least(engine: MarkingEngine, made: Made, keys: tuple[str, ...]) -> list[float]:
    """For each key the least p-value among the masters, corrected for how many they are (Bonferroni)."""
    files = [made.workspace / output.file.path for output in made.outputs]
    traces = [engine.detect(file, keys) for file in files]
    return [min(1.0, len(files) * min(found[n].p_value for found in traces)) for n in range(len(keys))]
