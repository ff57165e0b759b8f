"""The network in C: the same bits in any company and on any processor, near what the exact network says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from atelier.workshop.engines.text import TextEngine
from atelier.workshop.engines.text.serving.native.decoder import Feed


@pytest.fixture(scope="module")
def ragged(text_engine: TextEngine, random_adapter: Callable[..., Any]) -> list[tuple[Any, list[int]]]:
    """Adapters (two ranks, and none) and texts of many lengths."""
    random = np.random.default_rng(0)
    hands = [text_engine.load(random_adapter(n, rank=16 if n % 2 else 8)).adapter for n in range(5)]
    lengths = [1, 12, 33, 7, 64, 3, 17, 90, 15, 2, 48, 9, 31, 5, 16, 20, 11]
    return [
        ([*hands, None][n % 6], random.integers(100, 40_000, length + 4).tolist()) for n, length in enumerate(lengths)
    ]


@pytest.mark.engine
@pytest.mark.parametrize("company", [2, 5, 17])
def test_a_text_gives_the_same_bits_in_any_company_and_however_it_is_divided(
    ragged: list[tuple[Any, list[int]]], company: int
) -> None:
    from atelier.workshop.engines.text.base import base
    from atelier.workshop.engines.text.serving.native.decoder import Decoder

    decoder = Decoder(base(), slots=company, length=160, threads=2, tokens=600)
    together = []
    for slot, (adapter, tokens) in enumerate(ragged[:company]):
        decoder.set_adapter(slot, adapter)
        assert len(tokens) <= 160
    begun = [Feed(slot, 0, tokens[:-4]) for slot, (_, tokens) in enumerate(ragged[:company])]
    together.append(decoder.step(begun).copy())
    for last in range(3):
        feeds = [Feed(f.slot, len(f.tokens) + last, ragged[f.slot][1][last - 4 :][:1]) for f in begun]
        together.append(decoder.step(feeds).copy())
    for slot in (0, company // 2, company - 1):
        adapter, tokens = ragged[slot]
        decoder.set_adapter(0, adapter)
        alone = [decoder.step([Feed(0, place, [token])])[0].copy() for place, token in enumerate(tokens[:-1])]
        for step, scores in enumerate(together):
            assert np.array_equal(alone[len(tokens) - 5 + step], scores[slot])
    decoder.close()


@pytest.mark.engine
def test_every_processor_gives_the_same_bits(ragged: list[tuple[Any, list[int]]]) -> None:
    from atelier.workshop.engines.text.base import base
    from atelier.workshop.engines.text.serving.native.decoder import Decoder

    found = []
    for plain, threads in ((False, 2), (True, 1)):
        decoder = Decoder(base(), slots=6, length=160, threads=threads, plain=plain)
        for slot, (adapter, _) in enumerate(ragged[:6]):
            decoder.set_adapter(slot, adapter)
        found.append(decoder.step([Feed(slot, 0, tokens) for slot, (_, tokens) in enumerate(ragged[:6])]).copy())
        decoder.close()
    assert np.isfinite(found[0]).all()
    assert np.array_equal(found[0], found[1])


@pytest.mark.engine
def test_what_was_read_can_be_copied_to_another_slot(ragged: list[tuple[Any, list[int]]]) -> None:
    from atelier.workshop.engines.text.base import base
    from atelier.workshop.engines.text.serving.native.decoder import Decoder

    adapter, tokens = ragged[7]
    decoder = Decoder(base(), slots=2, length=160, threads=2)
    for slot in range(2):
        decoder.set_adapter(slot, adapter)
    decoder.step([Feed(0, 0, tokens[:50], scored=False)])
    decoder.set_past(1, decoder.past(0, 0, 32), 0)
    decoder.set_past(1, decoder.past(0, 32, 50), 32)
    scores = decoder.step([Feed(0, 50, tokens[50:]), Feed(1, 50, tokens[50:])])
    assert np.array_equal(scores[0], scores[1])
    decoder.close()


TEXTS = [
    "The kettle has opinions about the morning and shares them at half past six, whether you ask or not.",
    "Once there was a miller who trusted nobody with his keys. He hid them so well that he could not open his door.",
    "Our new jacket keeps the rain out and the warmth in. It folds into its own pocket and comes in four colours.",
    "Dear neighbours, the lift will be out of order on Tuesday from nine to noon. Thank you for using your own legs.",
]


@pytest.mark.engine
def test_what_is_served_is_what_the_exact_network_says_with_and_without_an_adapter(
    text_engine: TextEngine, random_adapter: Callable[..., Any]
) -> None:
    import torch
    from torch.nn.functional import cross_entropy

    from atelier.workshop.engines.text import lora
    from atelier.workshop.engines.text.base import base
    from atelier.workshop.engines.text.llama import Llama
    from atelier.workshop.engines.text.serving.native.decoder import Decoder

    folder = random_adapter(5, rank=8, strength=0.1)
    texts = [base().tokenizer().encode(text).ids for text in TEXTS]
    following = torch.tensor([token for text in texts for token in text[1:]])
    decoder, exact = Decoder(base(), slots=4, length=64, threads=2), Llama(base())

    def served() -> torch.Tensor:
        scores = [
            decoder.step([Feed(slot, p, [token])])[0].copy()
            for slot, t in enumerate(texts)
            for p, token in enumerate(t)
        ]
        return torch.from_numpy(np.stack(scores))

    def wanted(adapter: lora.Lora | None) -> torch.Tensor:
        with torch.no_grad():
            return exact.logits(exact.hidden(texts, adapter))

    def perplexity(scores: torch.Tensor) -> float:
        ends = np.cumsum([len(text) for text in texts]) - 1
        return float(cross_entropy(scores[np.setdiff1d(np.arange(len(scores)), ends)], following).exp())

    plain, exact_plain = served(), wanted(None)
    for slot in range(4):
        decoder.set_adapter(slot, text_engine.load(folder).adapter)
    adapted, exact_adapted = served(), wanted(lora.load(folder, base()))
    assert perplexity(plain) <= 1.02 * perplexity(exact_plain)
    effect = (exact_adapted - exact_plain).abs().mean()
    assert (plain - exact_plain).abs().mean() < effect / 3
    assert (adapted - exact_adapted).abs().mean() < effect / 3
    decoder.close()


@pytest.mark.engine
def test_a_base_in_four_bits_keeps_them_and_another_gets_eight(tiny_base: Any) -> None:
    from atelier.workshop.engines.text.serving.native.packing import pack

    random = np.random.default_rng(0)
    floor, step = random.standard_normal((64, 4, 1)), random.uniform(0.01, 0.02, (64, 4, 1))
    levels = random.integers(0, 16, (64, 4, 32))
    levels[..., 0], levels[..., 1] = 0, 15  # such a block reaches from its floor to its top
    assert pack((levels * step + floor).reshape(64, 128).astype(np.float32)).bits == 4
    assert pack(random.standard_normal((64, 128)).astype(np.float32)).bits == 8
