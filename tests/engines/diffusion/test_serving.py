"""One base serves many creators: each picture is made under its own adapter, in turn, and depends on nobody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from atelier.workshop.contract import (
    AdapterInvalid,
    Busy,
    EngineUnavailable,
    GenerateSpec,
    Guardrails,
    Output,
    Preview,
    Progress,
    Refused,
)
from atelier.workshop.engines.diffusion import DiffusionEngine
from atelier.workshop.engines.diffusion.base import base
from atelier.workshop.pictures.showing import UNSEEN

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("chosen")]
BRIEF = {"subject": "A wooden boat"}


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Writes an adapter with random weights, strong enough to change every picture."""

    def make(seed: int) -> Path:
        import torch

        from atelier.workshop.engines.diffusion.lora import fresh, save

        weights = fresh(base(), 2, seed)
        source = torch.Generator().manual_seed(seed)
        weights = {name: torch.randn(values.shape, generator=source) for name, values in weights.items()}
        folder = tmp_path_factory.mktemp("adapter")
        save(weights, base(), folder, {})
        return folder

    return make


@pytest.fixture(scope="class")
def engine(chosen: Path) -> Iterator[DiffusionEngine]:
    engine = DiffusionEngine()
    yield engine
    engine.close()


def ask(engine: DiffusionEngine, adapter: Path, workspace: Path, emit: Any = None, **changes: Any) -> list[Output]:
    hand = engine.load(adapter)
    asked = {"request_id": "r", "adapter_sha256": hand.adapter_sha256, "brief": BRIEF, "seeds": (1,), **changes}
    return engine.generate(hand, GenerateSpec(**asked), workspace, emit or (lambda _: None))


class TestServing:
    def test_adapters_that_take_turns_each_make_their_own_pictures(
        self, engine: DiffusionEngine, adapter: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ATELIER_DIFFUSION_ADAPTERS", "2")
        small = DiffusionEngine()  # room for two of the three
        folders = [adapter(seed) for seed in range(3)]
        alone = [ask(engine, folder, tmp_path)[0].file.sha256 for folder in folders]
        assert len(set(alone)) == 3
        with ThreadPoolExecutor(6) as threads:
            made = list(threads.map(lambda n: ask(small, folders[n % 3], tmp_path / str(n))[0].file.sha256, range(6)))
        small.close()
        assert made == [alone[n % 3] for n in range(6)]

    def test_shapes_give_sizes_and_the_master_has_nothing_but_pixels(
        self, engine: DiffusionEngine, adapter: Callable[[int], Path], tmp_path: Path
    ) -> None:
        (output,) = ask(engine, adapter(0), tmp_path, brief={**BRIEF, "shape": "wide"}, reveal=0.25)
        with Image.open(tmp_path / output.file.path) as master:
            assert master.size == (44, 24)
            assert master.info == {}
            width, height = output.reduced["width"], output.reduced["height"]
            assert width * height <= 0.25 * master.width * master.height
        assert "wooden boat" in output.reduced["told"]

    def test_where_nothing_may_be_shown_nothing_is(
        self, engine: DiffusionEngine, adapter: Callable[[int], Path], tmp_path: Path
    ) -> None:
        news: list[Preview | Progress] = []
        one, two = ask(engine, adapter(0), tmp_path, news.append, reveal=0.0, seeds=(1, 2))
        assert not [item for item in news if isinstance(item, Preview)]
        assert one.reduced == two.reduced
        assert (one.reduced["width"], one.reduced["height"]) == UNSEEN

    def test_what_is_to_be_avoided_may_be_what_is_refused(
        self, engine: DiffusionEngine, adapter: Callable[[int], Path], tmp_path: Path
    ) -> None:
        guardrails, folder = Guardrails(subjects_refused=("gambling",)), adapter(0)
        assert ask(engine, folder, tmp_path, brief={**BRIEF, "avoid": "gambling"}, guardrails=guardrails)
        with pytest.raises(Refused):
            ask(engine, folder, tmp_path, brief={"subject": "Gambling men"}, guardrails=guardrails)

    def test_a_closed_hand_is_refused(
        self, engine: DiffusionEngine, adapter: Callable[[int], Path], tmp_path: Path
    ) -> None:
        hand = engine.load(adapter(0))
        hand.close()
        spec = GenerateSpec(request_id="r", adapter_sha256=hand.adapter_sha256, brief=BRIEF, seeds=(1,))
        assert hand.bytes_held == 0
        with pytest.raises(AdapterInvalid):
            engine.generate(hand, spec, tmp_path, lambda _: None)

    def test_after_closing_it_serves_again(
        self, engine: DiffusionEngine, adapter: Callable[[int], Path], tmp_path: Path
    ) -> None:
        folder = adapter(0)
        before = ask(engine, folder, tmp_path)[0].file.sha256
        engine.close()
        engine.warm()
        assert ask(engine, folder, tmp_path)[0].file.sha256 == before


class _Held:
    """A caller whose news stands still until it is let go, so that others have to wait behind it."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, item: Preview | Progress) -> None:
        if isinstance(item, Progress) and item.stage == "painting":
            self.begun.set()
            self.go.wait(10)


class TestWaiting:
    def test_too_many_are_turned_away_and_those_who_wait_hear_of_it(
        self, chosen: Path, adapter: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ATELIER_DIFFUSION_WAITING", "6")
        monkeypatch.setenv("ATELIER_DIFFUSION_STEPS", "20")
        engine, folder = DiffusionEngine(), adapter(0)
        news: list[Preview | Progress] = []
        with ThreadPoolExecutor(2) as threads:
            held = _Held()
            first = threads.submit(ask, engine, folder, tmp_path / "a", held, seeds=(1, 2, 3, 4), viewer="ann")
            assert held.begun.wait(60)
            with pytest.raises(Busy) as caught:
                ask(engine, folder, tmp_path / "b", seeds=tuple(range(7)), viewer="ben")
            assert caught.value.ahead == 1
            with pytest.raises(Busy, match="same person"):
                ask(engine, folder, tmp_path / "c", seeds=(1, 2), viewer="ann")
            second = threads.submit(ask, engine, folder, tmp_path / "d", news.append, viewer="cat")
            held.go.set()
            assert len(first.result(60)) == 4
            assert len(second.result(60)) == 1
        engine.close()
        assert any(item.stage == "waiting" and item.ahead for item in news if isinstance(item, Progress))

    def test_who_comes_later_need_not_wait_for_all_of_an_earlier_request(
        self, chosen: Path, adapter: Callable[[int], Path], tmp_path: Path
    ) -> None:
        engine, folder, ended = DiffusionEngine(), adapter(0), list[str]()
        engine.warm()
        with ThreadPoolExecutor(2) as threads:
            held = _Held()
            first = threads.submit(ask, engine, folder, tmp_path / "a", held, seeds=tuple(range(8)))
            first.add_done_callback(lambda _: ended.append("many"))
            assert held.begun.wait(60)
            held.go.set()
            ask(engine, folder, tmp_path / "b")
            ended.append("one")
            first.result(60)
        engine.close()
        assert ended == ["one", "many"]

    def test_a_base_that_cannot_be_loaded_is_named_to_all_and_tried_again(
        self, chosen: Path, adapter: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from atelier.workshop.engines.diffusion import network

        engine, folder = DiffusionEngine(), adapter(0)

        def broken(*_: object) -> None:
            time.sleep(0.1)
            raise EngineUnavailable("Out of memory.", remedy="Choose another device.")

        with monkeypatch.context() as patch:
            patch.setattr(network, "_pipeline", broken)
            with pytest.raises(EngineUnavailable, match="Out of memory"):
                engine.warm()
            with pytest.raises(EngineUnavailable, match="Out of memory"):
                ask(engine, folder, tmp_path)
        assert ask(engine, folder, tmp_path)
        engine.close()
