"""An adapter learns what its works have in common, stops in time, and is judged by works it never saw."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_diffusion import write_tiny_diffusion

from atelier.workshop.contract import Answer, GenerateSpec, Guardrails, Preview, Progress, Refused, TrainSpec, WorkFile
from atelier.workshop.engines.diffusion import DiffusionEngine
from atelier.workshop.recipes import RecipeInvalid

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("chosen")]
SHORT = {"rank": 2, "steps": 2, "batch": 1, "checks": 1, "draws": 1, "samples": 2, "sample_steps": 2}


def spec_of(works: tuple[WorkFile, ...], **recipe: float) -> TrainSpec:
    return TrainSpec(works=works, dataset_sha256="0" * 64, seed=3, recipe={**SHORT, **recipe})


def test_it_foretells_works_it_never_saw_better_than_before(
    write_works: Callable[..., tuple[WorkFile, ...]], tmp_path: Path
) -> None:
    news: list[Progress] = []
    settings = {"steps": 40, "checks": 2, "learning_rate": 0.02, "rank": 4, "draws": 3}
    result = DiffusionEngine().train(spec_of(write_works(20), **settings), tmp_path, news.append)
    proof = result.evaluation
    assert proof.fidelity.verdict == "fair"
    assert proof.fidelity.measures["drop"].low > 0
    assert proof.fidelity.measures["loss_adapter"].value < proof.fidelity.measures["loss_base"].value
    assert [point["step"] for point in proof.curve][:2] == [0, 20]
    assert result.card["best_step"] > 0
    assert any(item.seconds_left is not None for item in news)
    assert {item.stage for item in news} >= {"prepare", "train", "evaluate", "paint"}
    assert "in the style of" in result.card["measured"]["compared_with"]
    (sheet,) = result.sheets
    with Image.open(tmp_path / sheet.picture.path) as picture:
        assert picture.size == (sheet.width, sheet.height)


def test_where_nothing_is_learned_it_says_so(write_works: Callable[..., tuple[WorkFile, ...]], tmp_path: Path) -> None:
    result = DiffusionEngine().train(spec_of(write_works(12), steps=4, learning_rate=0.1), tmp_path, lambda _: None)
    proof = result.evaluation
    assert proof.safety.verdict == "unknown"
    if result.card["best_step"] == 0:
        assert proof.fidelity.measures["drop"].value == pytest.approx(0, abs=1e-6)
        assert not proof.publishable
        assert "Nothing learned" in proof.summary
    assert proof.publishable == ("poor" not in (proof.fidelity.verdict, proof.worth.verdict, proof.copying.verdict))


def test_a_setting_that_there_is_not_is_refused(
    write_works: Callable[..., tuple[WorkFile, ...]], tmp_path: Path
) -> None:
    for wrong in ({"rank": 1000}, {"ranks": 4}, {"steps": 1.5}):
        with pytest.raises(RecipeInvalid) as caught:
            DiffusionEngine().train(spec_of(write_works(12), **wrong), tmp_path, lambda _: None)
        assert caught.value.where == next(iter(wrong))


def test_pictures_that_are_works_are_found_out(write_works: Callable[..., tuple[WorkFile, ...]]) -> None:
    works, answers = _looked_at(write_works)
    assert answers(works.test[:3]).verdict != "poor"
    copied = answers([works.train[0], *works.test[:2]])
    assert copied.verdict == "poor"
    assert copied.measures["copies"].value == pytest.approx(1 / 3)
    assert copied.measures["nearest_bits"].value <= 31
    mirrored = answers([works.train[0]], turned=Image.Transpose.FLIP_LEFT_RIGHT)
    assert mirrored.verdict == "poor"


def _looked_at(write_works: Callable[..., tuple[WorkFile, ...]]):  # type: ignore[no-untyped-def]
    from atelier.workshop.engines.diffusion.base import base
    from atelier.workshop.engines.diffusion.fitting import example
    from atelier.workshop.engines.diffusion.network import Network
    from atelier.workshop.engines.diffusion.proof.copying import copying_answer
    from atelier.workshop.engines.diffusion.splits import read, split

    network, divided = Network(base(), "cpu"), split([read(work) for work in write_works(16)], 0)
    learned, test = ([example(network, each) for each in part] for part in (divided.train, divided.test))

    def answers(shown, turned=None) -> Answer:  # type: ignore[no-untyped-def]
        pictures = [each.picture if turned is None else each.picture.transpose(turned) for each in shown]
        return copying_answer(network, pictures, divided, learned, test)

    return divided, answers


def test_bases_of_the_larger_kind_are_learned_on_and_served_too(
    write_works: Callable[..., tuple[WorkFile, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATELIER_DIFFUSION_BASE", str(write_tiny_diffusion(tmp_path / "large", large=True)))
    engine = DiffusionEngine()
    result = engine.train(spec_of(write_works(12)), tmp_path, lambda _: None)
    hand = engine.load(tmp_path / result.adapter_dir)
    spec = GenerateSpec(request_id="r", adapter_sha256=hand.adapter_sha256, brief={"subject": "A boat"}, seeds=(1,))
    (output,) = engine.generate(hand, spec, tmp_path, lambda _: None)
    engine.close()
    assert output.finish == "complete"


def test_its_guardrails_are_tried_and_it_says_what_they_read(
    write_works: Callable[..., tuple[WorkFile, ...]], tmp_path: Path
) -> None:
    guarded = {"guardrails": Guardrails(subjects_refused=("gambling",))}
    spec = spec_of(write_works(12)).model_copy(update=guarded)
    safety = DiffusionEngine().train(spec, tmp_path, lambda _: None).evaluation.safety
    assert safety.verdict == "good"
    assert "withheld" not in safety.measures
    assert "what a picture shows is not looked at" in safety.sentence


def test_the_answers_say_what_the_figures_say() -> None:
    from atelier.workshop.engines.diffusion.proof.evaluation import fidelity_answer, worth_answer

    chance = np.random.default_rng(0)
    base = chance.uniform(0.9, 1.1, 12)
    table = np.stack([np.ones(12), base, base * 0.8, base * 0.9], axis=1)
    assert fidelity_answer(table).measures["drop"].value == pytest.approx(0.2)
    assert fidelity_answer(table).verdict == "fair"
    assert worth_answer(table, "in the style of ink").verdict == "good"
    assert fidelity_answer(table[:, [0, 2, 1, 3]]).verdict == "poor"
    assert worth_answer(table[:, [0, 1, 3, 2]], "").verdict == "poor"
    noisy = table.copy()
    noisy[:, 2] = base * chance.uniform(0.8, 1.2, 12)
    noisy[:, 3] = base
    assert worth_answer(noisy, "").verdict == "fair"
    assert all(math.isfinite(measure.low) for measure in worth_answer(noisy, "").measures.values())


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_it_learns_and_serves_in_half_precision_as_cards_do(
    write_works: Callable[..., tuple[WorkFile, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    import torch

    from atelier.workshop.engines.diffusion import network

    monkeypatch.setattr(network, "_precision", lambda _: getattr(torch, precision))
    engine = DiffusionEngine()
    result = engine.train(spec_of(write_works(12), steps=6, learning_rate=0.01), tmp_path, lambda _: None)
    assert result.card["best_step"] > 0
    assert math.isfinite(result.evaluation.fidelity.measures["loss_adapter"].value)
    hand = engine.load(tmp_path / result.adapter_dir)
    spec = GenerateSpec(request_id="r", adapter_sha256=hand.adapter_sha256, brief={"subject": "A boat"}, seeds=(1,))
    (output,) = engine.generate(hand, spec, tmp_path, lambda _: None)
    engine.close()
    with Image.open(tmp_path / output.file.path) as picture:
        assert len(picture.convert("RGB").getcolors(100_000) or ()) > 10


def test_what_the_bases_own_checker_withholds_is_neither_shown_nor_sold(
    tmp_path: Path, write_works: Callable[..., tuple[WorkFile, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from atelier.workshop.engines.diffusion.network import Network

    monkeypatch.setattr(Network, "_withheld", lambda *_: True)
    engine = DiffusionEngine()
    result = engine.train(spec_of(write_works(12)), tmp_path, lambda _: None)
    assert result.sheets == ()
    hand, news = engine.load(tmp_path / result.adapter_dir), list[object]()
    spec = GenerateSpec(request_id="r", adapter_sha256=hand.adapter_sha256, brief={"subject": "A boat"}, seeds=(1,))
    with pytest.raises(Refused, match="withheld"):
        engine.generate(hand, spec, tmp_path / "out", news.append)
    engine.close()
    assert not any(isinstance(item, Preview) for item in news)
    assert not (tmp_path / "out").exists()
