"""The network for graphics cards, run here on torch's processor device: near the exact one, each text as if alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from atelier.workshop.contract import EngineUnavailable, GenerateSpec
from atelier.workshop.engines.text import TextEngine
from atelier.workshop.engines.text import device as devices
from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.serving.native.decoder import Adapter, Feed

if TYPE_CHECKING:
    from atelier.workshop.engines.text.lora import Lora
    from atelier.workshop.engines.text.serving.cuda import TorchDecoder

RAGGED = [[5, 9, 200, 31, 7], [100], list(range(60, 130)), [3] * 40]
ADAPTERS = (1, 2, None, 3)
"""The seed of each text's adapter."""


def random_adapter(found: Base, seed: int | None) -> Lora | None:
    import torch

    from atelier.workshop.engines.text import lora

    if seed is None:
        return None
    made = lora.fresh(found.config, rank=8 * seed, alpha=16, seed=seed)
    source = torch.Generator().manual_seed(seed)
    for values in made.up.values():
        values.data.normal_(0, 0.05, generator=source)
    return made


def packed_adapter(found: Base, seed: int | None) -> Adapter | None:
    from atelier.workshop.engines.text.serving.adapters import packed

    lora = random_adapter(found, seed)
    return packed(lora, found.config) if lora else None


@pytest.fixture
def decoder(tiny_base: Base) -> Iterator[TorchDecoder]:
    """Four slots in float32, an adapter or none in each."""
    import torch

    from atelier.workshop.engines.text.serving.cuda import TorchDecoder

    made = TorchDecoder(tiny_base, slots=4, length=128, device="cpu", dtype=torch.float32)
    for slot, seed in enumerate(ADAPTERS):
        made.set_adapter(slot, packed_adapter(tiny_base, seed))
    with closing(made):
        yield made


def test_its_scores_are_those_of_the_exact_network(tiny_base: Base, decoder: TorchDecoder) -> None:
    import torch

    from atelier.workshop.engines.text.llama import Llama

    exact = Llama(tiny_base, torch.float32)
    scores = decoder.step([Feed(slot, 0, text) for slot, text in enumerate(RAGGED)])
    for slot, (text, seed) in enumerate(zip(RAGGED, ADAPTERS, strict=True)):
        with torch.no_grad():
            wanted = exact.logits(exact.hidden([text], random_adapter(tiny_base, seed)))[-1].numpy()
        # An adapter comes in levels of 8 bits; without one there is nothing but rounding.
        np.testing.assert_allclose(scores[slot], wanted, atol=1e-4 if seed is None else 0.05 * wanted.std())


def test_a_text_gives_the_same_scores_in_any_company_and_however_it_is_divided(
    tiny_base: Base, decoder: TorchDecoder
) -> None:
    together = decoder.step([Feed(slot, 0, text) for slot, text in enumerate(RAGGED)])
    for slot, text in enumerate(RAGGED):
        decoder.set_adapter(0, packed_adapter(tiny_base, ADAPTERS[slot]))
        alone = [decoder.step([Feed(0, place, [token])])[0] for place, token in enumerate(text)]
        np.testing.assert_allclose(alone[-1], together[slot], atol=1e-4)


def test_an_adapter_leaves_no_trace_in_its_slot(tiny_base: Base, decoder: TorchDecoder) -> None:
    with_one = decoder.step([Feed(1, 0, RAGGED[0])])
    decoder.set_adapter(1, None)
    without = decoder.step([Feed(1, 0, RAGGED[0]), Feed(2, 0, RAGGED[0])])
    assert np.abs(with_one - without[:1]).max() > 0.01
    np.testing.assert_allclose(without[0], without[1], atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_what_was_read_can_be_copied_to_another_slot(dtype: str, tiny_base: Base) -> None:
    import torch

    from atelier.workshop.engines.text.serving.cuda import TorchDecoder

    text = RAGGED[2]
    with closing(TorchDecoder(tiny_base, slots=2, length=128, device="cpu", dtype=getattr(torch, dtype))) as made:
        made.step([Feed(0, 0, text[:50], scored=False)])
        made.set_past(1, made.past(0, 0, 32), 0)
        made.set_past(1, made.past(0, 32, 50), 32)
        one, two = made.step([Feed(0, 50, text[50:]), Feed(1, 50, text[50:])])
    assert np.isfinite(one).all()
    np.testing.assert_array_equal(one, two)


def test_more_than_there_is_room_for_is_refused(decoder: TorchDecoder) -> None:
    for feeds in ([Feed(0, 0, [1] * 300)], [Feed(0, 127, [1, 2])]):
        with pytest.raises(ValueError, match="room"):
            decoder.step(feeds)


@pytest.mark.parametrize(("outputs", "inputs"), [(16, 32), (48, 96)])
def test_the_parts_of_an_adapter_unpack_to_what_was_packed(outputs: int, inputs: int) -> None:
    import torch

    from atelier.workshop.engines.text.serving.cuda import unpacked_down, unpacked_up
    from atelier.workshop.engines.text.serving.native.packing import packed_down, packed_up

    values = np.random.default_rng(0).uniform(-1, 1, (outputs, inputs)).astype(np.float32)
    down = unpacked_down(torch.from_numpy(packed_down(values))).numpy()
    up = unpacked_up(torch.from_numpy(packed_up(values)), inputs).numpy()
    for found in (down, up):
        np.testing.assert_allclose(found, values, atol=0.6 / 127)  # half a step, and its rounding


def test_the_engine_serves_through_it_what_is_asked(
    tiny_base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from atelier.workshop.engines.text import lora
    from atelier.workshop.engines.text.serving import cuda, network

    opened: list[Any] = []

    def on_the_processor(*given: Any, **named: Any) -> Any:
        opened.append(partial(made, device="cpu")(*given, **named))
        return opened[-1]

    made = cuda.TorchDecoder
    monkeypatch.setattr(network, "device", lambda: "cuda")
    monkeypatch.setattr(cuda, "TorchDecoder", on_the_processor)
    adapter = random_adapter(tiny_base, 1)
    assert adapter is not None
    lora.save(adapter, tiny_base, tmp_path / "adapter")
    engine = TextEngine()
    try:
        hand = engine.load(tmp_path / "adapter")
        brief = {"subject": "A lamp", "format": "tagline"}
        asked = GenerateSpec(request_id="r", adapter_sha256=hand.adapter_sha256, brief=brief, seeds=(1, 2, 3))
        outputs = engine.generate(hand, asked, tmp_path / "out", lambda _: None)
    finally:
        engine.close()
    assert len(opened) == 1
    assert [output.seed for output in outputs] == [1, 2, 3]
    assert len({output.file.sha256 for output in outputs}) == 3


# Choosing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "card", "torch_has_it", "found"),
    [
        ("auto", False, False, "cpu"),
        ("auto", True, False, "cpu"),
        ("auto", True, True, "cuda"),
        ("", True, True, "cuda"),
        ("cpu", True, True, "cpu"),
        ("cuda", False, True, "cuda"),
    ],
)
def test_the_device_is_what_was_chosen_and_what_there_is(
    chosen: str, card: bool, torch_has_it: bool, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setenv("ATELIER_TEXT_DEVICE", chosen)
    monkeypatch.setattr(devices, "_driver_sees_a_card", lambda: card)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: torch_has_it)
    assert devices.device() == found


@pytest.mark.parametrize(("chosen", "said"), [("cuda", "no such device"), ("tpu", "tpu")])
def test_a_device_that_is_not_here_is_refused(chosen: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setenv("ATELIER_TEXT_DEVICE", chosen)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineUnavailable, match=said) as caught:
        devices.device()
    assert "ATELIER_TEXT_DEVICE" in str(caught.value)
    assert caught.value.remedy


def test_a_training_step_stays_on_the_device_of_the_weights(
    tiny_base: Base, make_example: Callable[[list[int]], Any]
) -> None:
    """On torch's device without memory, where numbers of another device are refused."""
    import torch

    from atelier.workshop.engines.text.fitting import rows_and_targets
    from atelier.workshop.engines.text.llama import Llama, Memory
    from atelier.workshop.engines.text.lora import fresh

    model = Llama(tiny_base, device="meta")
    lora = fresh(model.shape, 4, 8, 0, model.device)
    memory = Memory()
    text = list(range(1, 40))
    for _ in range(2):
        rows, targets = rows_and_targets(model, [make_example(text)], lora, memory)
        loss = model.losses(rows, targets).sum()
        slopes = torch.autograd.grad(loss, lora.parameters(), retain_graph=True)
        assert {each.device.type for each in (rows, targets, loss, *slopes)} == {"meta"}
        model.hidden([text], lora, [memory])  # the second time goes on from there


@pytest.fixture
def make_example() -> Callable[[list[int]], Any]:
    from atelier.workshop.engines.text.examples import Example

    return lambda tokens: Example(0, tuple(tokens), 5, ends=False)
