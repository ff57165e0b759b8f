"""Gradients worked out by hand are those that torch would work out, and the base is held once for all processes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.examples import Example


def gradients(way: Callable[..., Any], *inputs: Any) -> list[Any]:
    """What a way of computing gives, and its slopes at a weighing that no two places share."""
    import torch

    leaves = [each.clone().requires_grad_() for each in inputs]
    out = way(*leaves)
    weights = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view(out.shape)
    return [out, *torch.autograd.grad((out * weights).sum(), leaves)]


def random(*sizes: tuple[int, ...]) -> list[Any]:
    import torch

    source = torch.Generator().manual_seed(5)
    return [torch.randn(size, generator=source) for size in sizes]


def test_a_layer_with_an_adapter_has_the_gradients_of_its_parts() -> None:
    import torch.nn.functional as F

    from atelier.workshop.engines.text.passes import adapted

    x, weight, bias, down, up = random((7, 32), (24, 32), (24,), (4, 32), (24, 4))
    found = gradients(lambda x, d, u: adapted(x, weight, bias, d, u), x, down, up)
    expected = gradients(lambda x, d, u: F.linear(x, weight, bias) + F.linear(F.linear(x, d), u), x, down, up)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.allclose(theirs, atol=1e-5, rtol=1e-4)


def test_texts_read_together_have_each_the_gradients_that_it_has_alone(tiny_base: Base) -> None:
    import torch

    from atelier.workshop.engines.text.fitting import rows_and_targets
    from atelier.workshop.engines.text.llama import Llama
    from atelier.workshop.engines.text.lora import fresh

    model, texts = Llama(tiny_base, torch.float32), [an_example(40), an_example(7, begin=1), an_example(33, begin=20)]
    lora = fresh(model.shape, rank=4, alpha=8, seed=0)
    for values in lora.up.values():
        values.data.normal_(0, 0.1, generator=torch.Generator().manual_seed(3))
    each = lora.each(len(texts))
    together = torch.autograd.grad(model.losses(*rows_and_targets(model, texts, each)).sum(), each.parameters())
    for place, text in enumerate(texts):
        alone = torch.autograd.grad(model.losses(*rows_and_targets(model, [text], lora)).sum(), lora.parameters())
        for ours, theirs in zip(together, alone, strict=True):
            torch.testing.assert_close(ours[place], theirs, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("size", [(7, 32), (5, 3, 32)])
def test_a_norm_has_the_gradients_of_torch(size: tuple[int, ...]) -> None:
    import torch.nn.functional as F

    from atelier.workshop.engines.text.passes import normed

    x, weight = random(size, (32,))
    for ours, theirs in zip(
        gradients(lambda x: normed(x, weight, 1e-5), x),
        gradients(lambda x: F.rms_norm(x, (32,), weight, 1e-5), x),
        strict=True,
    ):
        assert ours.allclose(theirs, atol=1e-5, rtol=1e-4)


def test_turning_by_positions_is_undone_on_the_way_back() -> None:
    import torch

    from atelier.workshop.engines.text.passes import rotated

    x, angles = random((7, 3, 16), (7, 1, 8))
    turns = (angles.cos(), angles.sin())

    def plain(x: Any) -> Any:
        first, second = x.chunk(2, dim=-1)
        return torch.cat([first * turns[0] - second * turns[1], second * turns[0] + first * turns[1]], dim=-1)

    for ours, theirs in zip(gradients(lambda x: rotated(x, turns), x), gradients(plain, x), strict=True):
        assert ours.allclose(theirs, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("rows", [1, 9])
def test_attention_has_the_gradients_of_torch_and_never_looks_ahead(rows: int) -> None:
    import torch.nn.functional as F

    from atelier.workshop.engines.text.passes import attended

    def plain(q: Any, k: Any, v: Any) -> Any:
        k, v = k.repeat_interleave(3, dim=0), v.repeat_interleave(3, dim=0)
        return F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]

    q, k, v = random((6, rows, 16), (2, rows, 16), (2, rows, 16))
    for ours, theirs in zip(gradients(attended, q, k, v), gradients(plain, q, k, v), strict=True):
        assert ours.allclose(theirs, atol=1e-5, rtol=1e-4)
    before = attended(q, k, v)
    k[:, -1], v[:, -1] = 50, 50
    assert attended(q, k, v)[:, :-1].equal(before[:, :-1])


@pytest.mark.parametrize("rows", [1, 64, 65, 200, 300, 700])
def test_losses_are_those_of_cross_entropy_for_any_number_of_rows(rows: int) -> None:
    import torch
    import torch.nn.functional as F

    from atelier.workshop.engines.text.passes import losses

    hidden, head = random((rows, 16), (50, 16))
    targets = torch.arange(rows) % 50
    for ours, theirs in zip(
        gradients(lambda h: losses(h, head, targets), hidden),
        gradients(lambda h: F.cross_entropy(h @ head.T, targets, reduction="none"), hidden),
        strict=True,
    ):
        assert ours.allclose(theirs, atol=1e-5, rtol=1e-4)


# Together -------------------------------------------------------------------------------------------------------


def an_example(length: int, begin: int = 3) -> Example:
    return Example(0, tuple(i % 250 for i in range(length)), begin, ends=False)


@pytest.mark.parametrize(
    "lengths", [[90], [100] * 4, [600, 20, 20, 20], [300] * 4, [900, 900, 10], list(range(20, 700, 40))]
)
def test_texts_are_read_together_as_far_as_a_pass_goes_the_longest_pass_first(lengths: list[int]) -> None:
    from atelier.workshop.engines.text.fitting import PASS, passes

    texts = [an_example(length) for length in lengths]
    divided = passes(range(len(texts)), texts)
    assert sorted(place for some in divided for place in some) == list(range(len(texts)))
    sizes = [sum(lengths[place] for place in some) for some in divided]
    assert sizes == sorted(sizes, reverse=True)
    assert all(size <= 1.5 * PASS or len(some) == 1 for size, some in zip(sizes, divided, strict=True))


def test_a_text_read_with_others_has_the_losses_it_has_alone(tiny_base: Base) -> None:
    import torch

    from atelier.workshop.engines.text.fitting import rows_and_targets
    from atelier.workshop.engines.text.llama import Llama, Memory

    model, texts = Llama(tiny_base, torch.float32), [an_example(40), an_example(7, begin=1), an_example(33, begin=20)]
    before = Memory()
    with torch.no_grad():
        model.hidden([[8, 9, 10]], None, [before])
        for memory in (None, before):
            together = model.losses(*rows_and_targets(model, texts, None, memory))
            alone = [model.losses(*rows_and_targets(model, [text], None, memory)) for text in texts]
            torch.testing.assert_close(together, torch.cat(alone), atol=1e-4, rtol=1e-4)
    assert before.length == 3


# Memory ---------------------------------------------------------------------------------------------------------


def mappings(path: Path) -> list[tuple[range, dict[str, str]]]:
    """Where a file is mapped into this process, with what the kernel says of each place."""
    found: list[tuple[range, dict[str, str]]] = []
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, *rest = line.split()
        if "-" in first and not first.endswith(":"):
            inside = bool(rest) and rest[-1] == str(path)
            if inside:
                begin, end = (int(part, 16) for part in first.split("-"))
                found.append((range(begin, end), {}))
        elif inside and rest:
            found[-1][1][first.rstrip(":")] = rest[0]
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how memory is mapped")
def test_training_reads_the_base_from_mapped_files_and_makes_no_copy_of_its_own(
    tiny_base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from atelier.workshop.engines.text.llama import Llama
    from atelier.workshop.engines.text.lora import fresh

    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path))
    model = Llama(tiny_base)
    lora = fresh(model.shape, rank=4, alpha=8, seed=0)
    loss = model.losses(model.hidden([[5, 9, 200, 31]], lora), torch.tensor([9, 200, 31, 7])).sum()
    torch.autograd.grad(loss, lora.parameters())
    (file,) = tiny_base.half_files()
    places = mappings(file)
    assert all(any(t.data_ptr() in place for place, _ in places) for t in model.weights.values())
    assert [told["Anonymous"] for _, told in places] == ["0"] * len(places)  # A copy made on writing would be.


def test_a_base_in_another_precision_is_halved_once_and_one_in_bfloat16_is_taken_as_it_is(
    tiny_base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from safetensors.torch import load_file

    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path))
    (file,) = tiny_base.half_files()
    made = file.stat().st_mtime_ns
    halves, whole = load_file(file), load_file(tiny_base.weights_files[0])
    assert halves.keys() == whole.keys()
    assert all(values.equal(whole[name].to(torch.bfloat16)) for name, values in halves.items())
    assert tiny_base.half_files()[0].stat().st_mtime_ns == made
    again = Base(file.parent, tiny_base.config, tiny_base.info)
    assert again.half_files() == again.weights_files
