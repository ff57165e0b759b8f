"""The text engine's hidden mark, from the sampler to a reader in another process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atelier.workshop.contract import GenerateSpec, MarkingEngine, Unreadable
from atelier.workshop.engines.text import TextEngine
from atelier.workshop.engines.text.serving.sampling import Sampler, Sampling
from atelier.workshop.marks.text import Mark
from atelier.workshop.runtime.local import LocalRuntime

KEYS = tuple(hashlib.sha256(f"key {n}".encode()).hexdigest() for n in range(3))
BRIEF = {"subject": "A hand-thrown stoneware mug", "format": "story", "length": "short"}

Write = Callable[..., list[Path]]


@pytest.fixture(scope="module")
def hand(text_engine: TextEngine, random_adapter: Callable[..., Path]) -> Any:
    return text_engine.load(random_adapter(1, strength=0.002))


@pytest.fixture
def write(text_engine: TextEngine, hand: Any, tmp_path: Path) -> Write:
    def write(name: str, key: str | None, *seeds: int) -> list[Path]:
        spec = GenerateSpec(request_id="r", adapter_sha256=hand.adapter_sha256, brief=BRIEF, seeds=seeds, mark_key=key)
        made = text_engine.generate(hand, spec, tmp_path / name, lambda _: None)
        return [tmp_path / name / output.file.path for output in made]

    return write


def test_the_same_seed_and_mark_draw_the_same_and_another_mark_others() -> None:
    logits = np.random.default_rng(0).standard_normal((60, 500)).astype(np.float32)

    def drawn(number: int | None) -> list[int]:
        sampler = Sampler(1, Sampling(), None if number is None else Mark(bytes.fromhex(KEYS[number])))
        tokens: list[int] = []
        for row in logits:
            tokens.append(sampler.choose(row, tokens, ()))
        return tokens

    assert drawn(0) == drawn(0)
    assert len({tuple(drawn(number)) for number in (None, 0, 1)}) == 3
    assert drawn(None)[:4] == drawn(0)[:4], "the first tokens have no context yet, and no mark"


def test_a_marked_sampler_takes_no_token_that_a_plain_one_would_not() -> None:
    logits = np.arange(100, dtype=np.float32) / 10
    how = Sampling(temperature=2.0, top_k=5, top_p=1.0, repetition=1)
    sampler = Sampler(1, how, Mark(bytes.fromhex(KEYS[0])))
    seen = {sampler.choose(logits, (1, 2, 3, number % 100), (97,)) for number in range(300)}
    assert seen == {94, 95, 96, 98, 99}


@pytest.mark.engine
def test_what_the_engine_makes_is_found_by_its_key_in_a_process_of_its_own(
    text_engine: TextEngine, write: Write, tmp_path: Path
) -> None:
    assert isinstance(text_engine, MarkingEngine)
    marked, plain = write("marked", KEYS[0], 3)[0], write("plain", None, 3)[0]
    assert marked.read_text() != plain.read_text()
    cropped = tmp_path / "cropped.txt"
    # Of one short text a quarter less may be too little to be sure by; of three it is not.
    words = " ".join(path.read_text() for path in [marked, *write("more", KEYS[0], 4, 5)]).split(" ")
    cropped.write_bytes(" ".join(words[len(words) // 4 :]).replace("\n", "\r\n").encode())
    binary = tmp_path / "picture.png"
    binary.write_bytes(b"\x89PNG\r\n\xff")
    local = LocalRuntime()
    try:
        own, *others = local.detect("text", marked, KEYS)
        assert own.p_value < 1e-4
        assert min(trace.p_value for trace in others) > 0.001
        assert local.detect("text", cropped, KEYS[:1])[0].p_value < 0.001
        assert min(trace.p_value for trace in local.detect("text", plain, KEYS)) > 0.001
        with pytest.raises(Unreadable) as caught:
            local.detect("text", binary, KEYS)
        assert caught.value.remedy
    finally:
        local.close()


@pytest.mark.engine
def test_marked_texts_are_the_same_alone_and_in_company(write: Write) -> None:
    alone = [write(f"alone {n}", KEYS[n], n)[0].read_text() for n in range(3)]
    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(lambda n: write(f"together {n}", KEYS[n], n)[0].read_text(), range(3)))
    assert together == alone
