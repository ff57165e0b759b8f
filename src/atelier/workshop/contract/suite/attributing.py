"""Tests of attribution, for engines that tell which works shaped what they made."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from atelier.workshop.contract.engine import AttributingEngine, Engine
from atelier.workshop.contract.errors import AdapterInvalid, Unreadable, Untold
from atelier.workshop.contract.specs import Attribution, TrainSpec

from .means import Made, Means, Trained, assert_survives_json
from .watching import writes_outside


@dataclass(frozen=True)
class Told:
    """An output, what was told of it, and the files that were written meanwhile where they must not be."""

    output: Path
    found: Attribution
    strays: list[str]


class Attributing(Means):
    """Shares are honest numbers over the works learned from. Skipped for engines without `attribute`."""

    @pytest.fixture(scope="class")
    @classmethod
    def attributing(cls, engine: Engine) -> AttributingEngine:
        if not isinstance(engine, AttributingEngine):
            pytest.skip("this engine does not tell which works shaped an output")
        return engine

    @pytest.fixture(scope="class")
    @classmethod
    def told(
        cls,
        attributing: AttributingEngine,
        trained: Trained,
        make: Callable[..., Made],
        brief: dict[str, Any],
        cache_folders: list[Path],
    ) -> Told:
        output = _master(make())
        with writes_outside(cache_folders) as strays:
            found = attributing.attribute(trained.adapter, output, brief)
        return Told(output, found, strays)

    def test_shares_are_of_works_learned_from_and_add_up_to_what_is_told(
        self, told: Told, trained: Trained, spec: TrainSpec
    ) -> None:
        assert_survives_json(told.found)
        assert told.found.method
        _assert_honest(told.found, trained, spec)

    def test_a_work_passed_off_as_an_output_is_owed_to_that_work(
        self, attributing: AttributingEngine, trained: Trained, spec: TrainSpec, brief: dict[str, Any]
    ) -> None:
        known = set(trained.result.evaluation.trained_on)
        work = max((work for work in spec.works if work.id in known), key=lambda w: Path(w.path).stat().st_size)
        found = attributing.attribute(trained.adapter, Path(work.path), brief)
        _assert_honest(found, trained, spec)
        assert found.shares
        assert found.shares[0].work == work.sha256

    def test_asking_twice_tells_the_same_and_writes_nothing(
        self,
        attributing: AttributingEngine,
        told: Told,
        trained: Trained,
        brief: dict[str, Any],
        cache_folders: list[Path],
    ) -> None:
        with writes_outside(cache_folders) as strays:
            again = attributing.attribute(trained.adapter, told.output, brief)
        assert again == told.found
        assert told.strays == strays == []

    def test_where_nothing_was_kept_nothing_is_made_up(
        self,
        attributing: AttributingEngine,
        told: Told,
        trained: Trained,
        brief: dict[str, Any],
        tmp_path: Path,
    ) -> None:
        files = sorted(path.relative_to(trained.adapter) for path in trained.adapter.rglob("*") if path.is_file())
        by_folder = {name.parent: name for name in files}  # one of each folder stands for its like
        for number, name in enumerate({*by_folder.values(), *(name for name in files if len(name.parts) == 1)}):
            folder = tmp_path / str(number)
            shutil.copytree(trained.adapter, folder)
            (folder / name).unlink()
            with pytest.raises((Untold, AdapterInvalid)) as caught:
                attributing.attribute(folder, told.output, brief)
            assert caught.value.remedy

    def test_an_output_that_cannot_be_read_is_refused(
        self, attributing: AttributingEngine, trained: Trained, brief: dict[str, Any], tmp_path: Path
    ) -> None:
        with pytest.raises(Unreadable):
            attributing.attribute(trained.adapter, tmp_path / "gone", brief)


def _master(made: Made) -> Path:
    return made.workspace / made.outputs[0].file.path


def _assert_honest(found: Attribution, trained: Trained, spec: TrainSpec) -> None:
    known = set(trained.result.evaluation.trained_on)
    named = [share.work for share in found.shares]
    assert set(named) <= {work.sha256 for work in spec.works if work.id in known}
    assert len(named) == len(set(named))
    assert all(share.low <= share.value <= share.high for share in found.shares)
    values = [share.value for share in found.shares]
    assert values == sorted(values, reverse=True)
    assert found.told == pytest.approx(sum(values), abs=1e-6)
