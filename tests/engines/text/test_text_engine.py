"""The text engine as the house uses it: cheap to ask, honest about adapters, the same alone and in company."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atelier.workshop.contract import (
    AdapterInvalid,
    BriefInvalid,
    Cancelled,
    Engine,
    GenerateSpec,
    Guardrails,
    Output,
    Preview,
    Progress,
    Refused,
)
from atelier.workshop.engines.text import TextEngine
from atelier.workshop.guardrails import find

BRIEF = {"subject": "A hand-thrown stoneware mug", "format": "social post", "length": "short"}


class Made:
    """One generation: what it streamed and what it gave."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.news: list[Preview | Progress] = []
        self.outputs: list[Output] = []

    def masters(self) -> list[str]:
        return [(self.workspace / output.file.path).read_text(encoding="utf-8") for output in self.outputs]

    def shown(self, sample: int) -> str:
        return "".join(n.payload["append"] for n in self.news if isinstance(n, Preview) and n.sample == sample)


@pytest.fixture(scope="module")
def hands(text_engine: TextEngine, random_adapter: Callable[..., Path]) -> list[Any]:
    return [text_engine.load(random_adapter(seed, rank=16 if seed % 2 else 8)) for seed in range(4)]


@pytest.fixture
def make(text_engine: TextEngine, hands: list[Any], tmp_path: Path) -> Callable[..., Made]:
    def make(hand: int = 0, emit: Callable[[Any], None] | None = None, sampling: Any = None, **changes: Any) -> Made:
        made = Made(tmp_path / f"{hand}-{time.monotonic_ns()}")
        asked = {"request_id": "r", "adapter_sha256": hands[hand].adapter_sha256, "brief": BRIEF, "seeds": (7,)}
        spec = GenerateSpec(**{**asked, **changes})
        made.outputs = text_engine.generate(
            hands[hand], spec, made.workspace, emit or made.news.append, sampling=sampling
        )
        return made

    return make


def test_capabilities_are_asked_without_a_heavy_library() -> None:
    heavy = ["torch", "gguf", "tokenizers", "safetensors", "docx", "lxml", "pypdf"]
    script = (
        "import sys; from atelier.workshop.engines.text import TextEngine\n"
        f"TextEngine().capabilities(); print([name for name in {heavy!r} if name in sys.modules])"
    )
    seen = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"


def test_capabilities_say_what_the_engine_takes_and_gives() -> None:
    offered = TextEngine().capabilities()
    assert isinstance(TextEngine(), Engine)
    assert [c.slug for c in offered.categories] == ["copywriting", "marketing"]
    suffixes = [kind.suffix for kind in offered.accepts]
    assert suffixes == [".txt", ".md", ".html", ".htm", ".docx", ".pdf", ".csv", ".json"]
    assert [form.name for form in offered.formats] == ["txt", "md", "docx"]
    assert (offered.extent_unit, offered.output_kind) == ("words", "text")


@pytest.mark.engine
def test_an_adapter_knows_its_name_and_size_and_closes_twice(
    text_engine: TextEngine, random_adapter: Callable[..., Path], tmp_path: Path
) -> None:
    from atelier.workshop.engines.text.lora import adapter_sha256

    folder = random_adapter(9)
    hand = text_engine.load(folder)
    assert hand.adapter_sha256 == adapter_sha256(folder)
    assert 4_000_000 < hand.bytes_held < 7_000_000
    hand.close()
    hand.close()
    assert hand.bytes_held == 0
    spec = GenerateSpec(request_id="r", adapter_sha256=hand.adapter_sha256, brief=BRIEF, seeds=(1,))
    with pytest.raises(AdapterInvalid, match="closed"):
        text_engine.generate(hand, spec, tmp_path / "out", lambda _: None)
    assert not (tmp_path / "out").exists()


def _truncate(folder: Path) -> None:
    weights = folder / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100_000])


def _garble(folder: Path) -> None:
    (folder / "adapter_model.safetensors").write_bytes(b"\xff" * 5000)


def _forget(folder: Path) -> None:
    (folder / "adapter_config.json").unlink()


def _other_base(folder: Path) -> None:
    origin = json.loads((folder / "atelier.json").read_text())
    origin["base"]["sha256"] = "0" * 64
    (folder / "atelier.json").write_text(json.dumps(origin))


def _raise_rank(folder: Path) -> None:
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 64, "lora_alpha": 128}))


def _not_numbers(folder: Path) -> None:
    import numpy as np
    from safetensors.numpy import load_file, save_file

    tensors = load_file(folder / "adapter_model.safetensors")
    name = max(tensors)
    tensors[name] = np.full_like(tensors[name], np.nan)
    save_file(tensors, folder / "adapter_model.safetensors")


@pytest.mark.engine
@pytest.mark.parametrize("damage", [_truncate, _garble, _forget, _other_base, _raise_rank, _not_numbers])
def test_adapters_that_are_damaged_or_foreign_are_refused(
    text_engine: TextEngine, random_adapter: Callable[..., Path], damage: Callable[[Path], None]
) -> None:
    folder = random_adapter(3)
    damage(folder)
    with pytest.raises(AdapterInvalid) as caught:
        text_engine.load(folder)
    assert caught.value.where


@pytest.mark.engine
@pytest.mark.parametrize("temperature", [0.0, 0.9])
def test_a_request_gives_the_same_text_alone_and_among_others(make: Callable[..., Made], temperature: float) -> None:
    from atelier.workshop.engines.text.serving.sampling import Sampling

    requests: list[dict[str, Any]] = [
        {
            "hand": number % 4,
            "brief": {
                "subject": "A lamp that is never late " * (1 + number % 3),
                "format": ["tagline", "social post", "headline", "call to action"][number % 4],
                "length": "long" if number == 2 else "short",
            },
            "seeds": (number, 2**40 + number)[: 1 + number % 2],
            "guardrails": Guardrails(words_never=("light", "lamp that")) if number == 3 else Guardrails(),
            "reveal": 0.4,
            "sampling": Sampling(temperature=temperature),
        }
        for number in range(8)
    ]
    requests[3]["brief"] = {"subject": "Curtains for a small window", "format": "social post", "length": "short"}
    alone = [make(**request).masters() for request in requests]
    together: list[list[str]] = [[] for _ in requests]

    def join(number: int) -> None:
        time.sleep(0.05 * number)  # so that they join at different steps; the texts must not depend on it
        together[number] = make(**requests[number]).masters()

    threads = [threading.Thread(target=join, args=(number,)) for number in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone
    assert len({texts[0] for texts in alone}) > 4


@pytest.mark.engine
@pytest.mark.parametrize("reveal", [0.0, 0.3, 1.0])
def test_previews_are_the_opening_of_the_master_and_no_more_than_the_share(
    make: Callable[..., Made], reveal: float
) -> None:
    made = make(seeds=(1, 2), reveal=reveal)
    for sample, master in enumerate(made.masters()):
        shown, output = made.shown(sample), made.outputs[sample]
        assert master.startswith(shown)
        assert len(shown.split()) <= reveal * len(master.split())
        assert len(shown) <= reveal * len(master)
        hidden = output.extent - len(shown.split())
        assert output.reduced == {"text": shown, "words": output.extent, "hidden_words": hidden}
        if reveal == 1:
            assert shown == master
            assert sum(isinstance(n, Preview) and n.sample == sample for n in made.news) > 1


@pytest.mark.engine
def test_progress_never_goes_back_and_ends_at_what_was_planned(make: Callable[..., Made]) -> None:
    made = make(seeds=(1, 2), reveal=0.0, guardrails=Guardrails(words_never=("the", "and")))
    news = [n for n in made.news if isinstance(n, Progress)]
    assert len({n.planned for n in news}) == 1
    assert [n.done for n in news] == sorted(n.done for n in news)
    assert news[-1].done == news[-1].planned


@pytest.mark.engine
def test_words_never_used_are_not_written_and_the_brief_may_not_ask_for_them(make: Callable[..., Made]) -> None:
    plain = make(seeds=(1, 2)).masters()
    asked = {word.strip(".,").lower() for value in BRIEF.values() for word in value.replace("-", " ").split()}
    never = tuple(sorted({w.lower() for text in plain for w in text.split() if w.isalpha() and len(w) > 2} - asked))
    assert never
    made = make(seeds=(1, 2), guardrails=Guardrails(words_never=never))
    assert all(find(text, never) is None for text in made.masters())
    with pytest.raises(Refused):
        make(guardrails=Guardrails(words_never=("mug",)))


@pytest.mark.engine
def test_a_client_that_left_stops_its_request_and_no_other(make: Callable[..., Made]) -> None:
    before = make(seeds=(3,)).masters()

    def leave(news: Any) -> None:
        if isinstance(news, Preview):
            raise Cancelled

    result: list[list[str]] = []
    other = threading.Thread(target=lambda: result.append(make(seeds=(3,)).masters()))
    other.start()
    with pytest.raises(Cancelled):
        make(hand=1, emit=leave, seeds=(1, 2, 3, 4))
    other.join()
    assert result == [before]


@pytest.mark.engine
def test_a_wrong_or_endless_brief_is_refused_by_field(make: Callable[..., Made]) -> None:
    with pytest.raises(BriefInvalid) as caught:
        make(brief={"subject": "x", "format": "opera"})
    assert caught.value.where == "format"
    long = {"subject": "😀" * 200, "details": "𓀀" * 600, "audience": "𓀀" * 120, "format": "blog post", "length": "long"}
    with pytest.raises(BriefInvalid) as caught:
        make(brief=long)
    assert caught.value.where == "details"
