"""Tests of training and of the adapters it gives."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from atelier.workshop.contract.engine import Engine
from atelier.workshop.contract.errors import (
    AdapterInvalid,
    TooFewWorks,
    Unreadable,
)
from atelier.workshop.contract.specs import (
    TrainSpec,
)

from .means import Means, Trained, assert_steady, assert_stops, assert_survives_json


class Training(Means):
    """Training, its proof, and loading what it made."""

    # Training ---------------------------------------------------------------------------------------------------

    def test_training_gives_an_adapter_and_its_proof(self, trained: Trained, spec: TrainSpec) -> None:
        result = trained.result
        assert_survives_json(result)
        assert result.adapter_files
        for file in result.adapter_files:
            raw = (trained.workspace / file.path).read_bytes()
            assert (len(raw), hashlib.sha256(raw).hexdigest()) == (file.bytes, file.sha256)
        proof = result.evaluation
        held, known, all_works = set(proof.held_out), set(proof.trained_on), {work.id for work in spec.works}
        assert held
        assert {*held, *known} <= all_works
        if proof.twin:  # measured on less than what the version knows
            assert held < known
        else:
            assert not held & known
        for answer in (proof.fidelity, proof.worth, proof.copying, proof.safety):
            assert answer.sentence
            assert answer.measures
            assert all(m.low <= m.value <= m.high for m in answer.measures.values())

    def test_training_writes_nothing_outside_the_workspace(self, trained: Trained) -> None:
        assert trained.strays == []

    def test_training_progress_never_goes_back_and_ends_at_planned(self, trained: Trained) -> None:
        assert_steady(trained.news)

    def test_the_same_seed_trains_the_same_adapter(
        self, engine: Engine, spec: TrainSpec, trained: Trained, tmp_path: Path
    ) -> None:
        again = engine.train(spec, tmp_path, lambda _: None)
        assert again.adapter_sha256 == trained.result.adapter_sha256
        assert again.evaluation == trained.result.evaluation

    def test_training_stops_when_asked(self, engine: Engine, spec: TrainSpec, tmp_path: Path) -> None:
        assert_stops(lambda report: engine.train(spec, tmp_path, report))

    def test_too_few_works_are_refused(self, engine: Engine, spec: TrainSpec, tmp_path: Path) -> None:
        least = engine.capabilities().limits.works_min
        few = spec.model_copy(update={"works": spec.works[: least - 1]})
        with pytest.raises(TooFewWorks) as caught:
            engine.train(few, tmp_path, lambda _: None)
        assert caught.value.remedy

    def test_a_work_that_is_gone_is_named(self, engine: Engine, spec: TrainSpec, tmp_path: Path) -> None:
        lost = spec.works[0].model_copy(update={"path": str(tmp_path / "lost"), "title": "The lost work"})
        with pytest.raises(Unreadable, match="The lost work"):
            engine.train(spec.model_copy(update={"works": (lost, *spec.works[1:])}), tmp_path, lambda _: None)

    # Adapters ---------------------------------------------------------------------------------------------------

    def test_a_hand_knows_its_adapter_and_may_be_closed_twice(self, engine: Engine, trained: Trained) -> None:
        hand = engine.load(trained.adapter)
        assert hand.adapter_sha256 == trained.result.adapter_sha256
        assert hand.bytes_held > 0
        hand.close()
        hand.close()

    def test_missing_and_damaged_adapters_are_refused(self, engine: Engine, trained: Trained, tmp_path: Path) -> None:
        with pytest.raises(AdapterInvalid):
            engine.load(tmp_path)
        for file in trained.result.adapter_files:
            raw = (trained.workspace / file.path).read_bytes()
            (tmp_path / Path(file.path).name).write_bytes(raw[: len(raw) // 2])
        with pytest.raises(AdapterInvalid) as caught:
            engine.load(tmp_path)
        assert caught.value.remedy
