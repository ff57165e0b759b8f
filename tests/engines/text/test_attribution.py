"""Gradients are folded faithfully, shares say no more than they can, and what was not kept is not made up."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from atelier.workshop.contract import AdapterInvalid, Untold, WorkFile
from atelier.workshop.engines.text import attribution
from atelier.workshop.engines.text import lora as adapters
from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.crew import crew
from atelier.workshop.engines.text.efforts import train_effort
from atelier.workshop.engines.text.examples import Example, examples, read
from atelier.workshop.engines.text.prompts import brief_for_work
from atelier.workshop.engines.text.recipe import Recipe
from atelier.workshop.engines.text.shares import shares_of
from atelier.workshop.steps import Plan

THINGS = ("bread", "honey", "wool", "slate", "rope", "lamp", "kettle", "boot", "ladder", "apple")
BRIEF = {"subject": "A ladder"}


def with_random_adapter(base: Base) -> adapters.Lora:
    import torch

    lora = adapters.fresh(base.config, rank=4, alpha=8, seed=3)
    source = torch.Generator().manual_seed(3)
    for values in lora.up.values():
        values.data.normal_(0, 0.1, generator=source)
    return lora


@pytest.fixture
def kept(
    tiny_base: Base, write_works: Callable[[list[str]], tuple[WorkFile, ...]], tmp_path: Path
) -> tuple[Path, tuple[WorkFile, ...]]:
    """The folder of a tiny adapter with what was kept of its works, and the works."""
    from atelier.workshop.engines.text.fitting import fit
    from atelier.workshop.engines.text.llama import Llama

    works = write_works([" ".join(f"{thing}{thing[::-1]}" for _ in range(12)) for thing in THINGS])
    folder = tmp_path / "adapter"
    model, texts, chosen = Llama(tiny_base), [read(work) for work in works], Recipe(rank=4, alpha=8, longest=256)
    learned = examples(texts, tiny_base.tokenizer(), chosen.longest)
    plan = Plan(lambda _: None, {"train": train_effort(learned, learned, chosen)})
    plan.enter("train")
    with crew(2, lambda: None) as team:
        found = fit(model, learned, learned, chosen, 0, plan, team, with_random_adapter(tiny_base), pulls=True)
    sha256 = adapters.save(found.lora, tiny_base, folder)
    attribution.keep(attribution.pulls_of(found, texts), folder, sha256)
    return folder, works


def test_the_mixer_is_splitmix64() -> None:
    from atelier.workshop.engines.text.folds import _mixed

    assert int(_mixed(np.array([0], np.uint64))[0]) == 0xE220A8397B1DCDAF


def test_a_folded_gradient_is_the_gradient_and_its_parts_add_up(tiny_base: Base) -> None:
    import torch

    from atelier.workshop.engines.text.fitting import rows_and_targets
    from atelier.workshop.engines.text.folds import SIZE, Folds
    from atelier.workshop.engines.text.gradients import folded
    from atelier.workshop.engines.text.llama import Llama

    model = Llama(tiny_base, torch.float32)
    lora = with_random_adapter(tiny_base)
    example = Example(0, tuple(range(40, 90)), 12, ends=False)
    folds = Folds(lora)
    loss = model.losses(*rows_and_targets(model, [example], lora)).sum()
    gradients = torch.autograd.grad(loss, lora.parameters())
    expected = folds.all_of(gradients)
    whole, parts = folded(model, lora, folds, example), folded(model, lora, folds, example, parts=5)
    assert whole.shape == (1, SIZE)
    assert parts.shape == (5, SIZE)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(whole[0], expected, atol=1e-4 * scale)
    np.testing.assert_allclose(parts.sum(0), expected, atol=1e-4 * scale)
    assert np.abs(parts).max(axis=1).min() > 0


def test_folding_keeps_angles(tiny_base: Base) -> None:
    import torch

    from atelier.workshop.engines.text.folds import SIZE, Folds, unit

    lora = adapters.fresh(tiny_base.config, rank=16, alpha=8, seed=3)
    source = torch.Generator().manual_seed(5)
    first = {name: torch.randn(values.shape, generator=source) for name, values in lora.down.items()}
    second = {name: 0.6 * first[name] + 0.8 * torch.randn(first[name].shape, generator=source) for name in first}
    rows = np.zeros((2, SIZE), np.float32)
    folds = Folds(lora)
    for row, gradients in zip(rows, (first, second), strict=True):
        for name, values in gradients.items():
            folds.add(row, "down", name, values)
    cosine = float(unit(rows)[0] @ unit(rows)[1])
    assert abs(cosine - 0.6) < 5 / SIZE**0.5


def test_a_work_passed_off_as_an_output_stands_out(kept: tuple[Path, tuple[WorkFile, ...]], tiny_base: Base) -> None:
    adapter, works = kept
    for work in works[:3]:
        brief = brief_for_work(work, read(work).text)
        found = attribution.attribute(tiny_base, adapter, Path(work.path), brief)
        assert found.shares[0].work == work.sha256


def test_what_is_beside_the_adapter_has_no_part_in_its_name(kept: tuple[Path, tuple[WorkFile, ...]]) -> None:
    adapter, _ = kept
    before = adapters.adapter_sha256(adapter)
    (adapter / attribution.KEPT).unlink()
    assert adapters.adapter_sha256(adapter) == before


def test_an_older_adapter_says_that_nothing_was_kept(
    kept: tuple[Path, tuple[WorkFile, ...]], tiny_base: Base, tmp_path: Path
) -> None:
    adapter, works = kept
    old, damaged, mixed = tmp_path / "old", tmp_path / "damaged", tmp_path / "mixed"
    for folder in (old, damaged, mixed):
        shutil.copytree(adapter, folder)
    (old / attribution.KEPT).unlink()
    with pytest.raises(Untold) as caught:
        attribution.attribute(tiny_base, old, Path(works[0].path), BRIEF)
    assert caught.value.remedy
    (damaged / attribution.KEPT).write_bytes((adapter / attribution.KEPT).read_bytes()[:200])
    config = json.loads((mixed / adapters.CONFIG).read_text())
    (mixed / adapters.CONFIG).write_text(json.dumps(config | {"lora_alpha": 9}))
    for folder in (damaged, mixed):
        with pytest.raises(AdapterInvalid):
            attribution.attribute(tiny_base, folder, Path(works[0].path), BRIEF)


# Shares ---------------------------------------------------------------------------------------------------------


def works_of(count: int, size: int = 512, common: float = 1.0, seed: int = 0) -> tuple[tuple[str, ...], np.ndarray]:
    """Works whose pulls have something in common, each beside a direction of its own."""
    random = np.random.default_rng(seed)
    shared = random.standard_normal(size)
    pulls = common * shared + random.standard_normal((count, size))
    pulls /= np.linalg.norm(pulls, axis=1, keepdims=True)
    return tuple(f"{n:064d}" for n in range(count)), pulls.astype(np.float32)


def test_a_text_that_pulls_like_no_work_is_told_to_none() -> None:
    named = 0
    for seed in range(20):
        works, pulls = works_of(20, seed=seed)
        random = np.random.default_rng(1000 + seed)
        strange = pulls.mean(0) + random.standard_normal((8, pulls.shape[1])) * 0.05
        named += len(shares_of(works, pulls, strange.astype(np.float32))["shares"])
    assert named <= 40  # of 400: what stands out by chance


def test_a_text_that_pulls_like_one_work_is_told_to_that_work() -> None:
    works, pulls = works_of(20)
    random = np.random.default_rng(9)
    like = pulls[4] + random.standard_normal((8, pulls.shape[1])) * 0.02
    found = shares_of(works, pulls, like.astype(np.float32))
    first = found["shares"][0]
    assert first.work == works[4]
    assert 0 < first.low <= first.value <= first.high <= 1
    assert found["told"] == pytest.approx(sum(share.value for share in found["shares"]))


def test_nothing_is_told_of_a_single_work_or_an_empty_pull() -> None:
    works, pulls = works_of(1)
    assert shares_of(works, pulls, np.zeros((3, pulls.shape[1]), np.float32))["shares"] == ()
