"""Adapters go to other tools as they are; those that do not fit are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_diffusion import write_tiny_diffusion

from atelier.workshop.contract import AdapterInvalid
from atelier.workshop.engines.diffusion import DiffusionEngine
from atelier.workshop.engines.diffusion.base import base

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("chosen")]


@pytest.fixture
def folder(tmp_path: Path, chosen: Path) -> Path:
    """An adapter with random weights."""
    import torch

    from atelier.workshop.engines.diffusion.lora import fresh, save

    source = torch.Generator().manual_seed(5)
    weights = {name: torch.randn(v.shape, generator=source) for name, v in fresh(base(), 4, 0).items()}
    save(weights, base(), tmp_path / "adapter", {"rank": 4})
    return tmp_path / "adapter"


def test_diffusers_itself_reads_an_adapter_and_makes_the_same_picture(folder: Path) -> None:
    import torch
    from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline

    from atelier.workshop.engines.diffusion.lora import load
    from atelier.workshop.engines.diffusion.network import Network
    from atelier.workshop.engines.diffusion.painting import Order, paint

    network = Network(base(), "cpu")
    network.put_on("ours", load(folder, base()).weights)
    ours = paint(network, Order("A boat", "people", 3, 32, 32, 5, 7.0), lambda *_: None)
    pipe = StableDiffusionPipeline.from_pretrained(base().folder)
    pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    pipe.load_lora_weights(folder)
    made = pipe(
        "A boat", negative_prompt="people", num_inference_steps=5, guidance_scale=7.0, height=32, width=32,
        generator=torch.Generator().manual_seed(3),
    )  # fmt: skip
    theirs = np.asarray(made.images[0], dtype=int)
    assert np.abs(np.asarray(ours, dtype=int) - theirs).max() <= 1


def test_an_adapter_says_in_plain_words_what_it_is_for(folder: Path) -> None:
    told = json.loads((folder / "atelier.json").read_text(encoding="utf-8"))
    assert told["engine"] == "diffusion"
    assert told["base"]["sha256"] == base().sha256
    assert told["rank"] == 4


def test_an_adapter_of_another_base_is_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_DIFFUSION_BASE", str(write_tiny_diffusion(tmp_path / "other", seed=1)))
    with pytest.raises(AdapterInvalid, match="made for the base") as caught:
        DiffusionEngine().load(folder)
    assert caught.value.remedy


def _changed(change: Callable[[dict[str, np.ndarray]], object]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        from safetensors.numpy import load_file, save_file

        tensors = load_file(path)
        change(tensors)
        save_file(tensors, path)

    return write


@pytest.mark.parametrize(
    "damage",
    [
        _changed(lambda tensors: tensors.popitem()),
        _changed(lambda tensors: tensors.update({"unet.more.lora_A.weight": np.zeros((4, 4), np.float16)})),
        _changed(lambda tensors: tensors.update({n: t[:2] for n, t in list(tensors.items())[:1]})),
        _changed(lambda tensors: next(iter(tensors.values())).fill(np.nan)),
        lambda path: path.write_bytes(b"\x80\x04pickle"),
        lambda path: path.unlink(),
    ],
    ids=["a layer is missing", "a layer too many", "of another size", "not a number", "no safetensors", "gone"],
)
def test_damaged_weights_are_refused(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder / "pytorch_lora_weights.safetensors")
    with pytest.raises(AdapterInvalid) as caught:
        DiffusionEngine().load(folder)
    assert caught.value.remedy
