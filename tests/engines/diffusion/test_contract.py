"""The diffusion engine keeps the whole contract, on a base of random weights."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from drawings import draw
from PIL import Image

from atelier.workshop.contract import Engine, Guardrails, Preview, Refused
from atelier.workshop.contract.suite import EngineContract, Made
from atelier.workshop.engines.diffusion import DiffusionEngine
from atelier.workshop.pictures.showing import shown_size

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("chosen")]


class TestDiffusionEngine(EngineContract):
    """All of the contract's tests, read for pictures where they speak of words."""

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, chosen: Path) -> Iterator[Engine]:
        engine = DiffusionEngine()
        yield engine
        engine.close()

    @pytest.fixture(scope="class")
    @classmethod
    def good_uploads(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
        folder = tmp_path_factory.mktemp("good")
        for number in range(12):
            draw(number).save(folder / f"boat_{number}.{('png', 'jpg', 'webp')[number % 3]}")
        return sorted(folder.iterdir())

    @pytest.fixture(scope="class")
    @classmethod
    def bad_uploads(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
        folder = tmp_path_factory.mktemp("bad")
        (folder / "empty.png").write_bytes(b"")
        (folder / "words.png").write_text("not a picture")
        whole = io.BytesIO()
        draw(0).save(whole, "PNG")
        (folder / "cut.png").write_bytes(whole.getvalue()[:300])
        Image.new("RGB", (200, 200), "white").save(folder / "blank.png")
        draw(0, size=(40, 30)).save(folder / "small.png")
        draw(0).save(folder / "kind.png", "GIF")
        Image.new("1", (12_000, 12_000)).save(folder / "bomb.png")
        return sorted(folder.iterdir())

    @pytest.fixture(scope="class")
    @classmethod
    def brief(cls) -> dict[str, Any]:
        return {"subject": "A wooden boat", "mood": "calm", "shape": "landscape"}

    @pytest.fixture(scope="class")
    @classmethod
    def recipe(cls) -> dict[str, float | int | str | bool]:
        return {"rank": 2, "steps": 4, "batch": 1, "checks": 2, "draws": 2, "samples": 2, "sample_steps": 2}

    @pytest.fixture(scope="class")
    @classmethod
    def cache_folders(cls, chosen: Path) -> list[Path]:
        import os

        return [Path(os.environ["ATELIER_CACHE"])]

    def visible_share(self, made: Made, sample: int) -> float:
        """The most pixels that a preview had, of those it has when all may be revealed; each carries a visible mark."""
        master = Image.open(io.BytesIO(made.masters()[sample]))
        whole = shown_size(*master.size, 1.0)
        assert whole is not None
        shares = [0.0]
        for news in made.news:
            if isinstance(news, Preview) and news.sample == sample:
                picture = opened(news.payload["image"])
                assert picture.size == (news.payload["width"], news.payload["height"])
                shares.append(picture.width * picture.height / (whole[0] * whole[1]))
        return max(shares)

    def test_words_never_used_are_not_written(self, make: Callable[..., Made], brief: dict[str, Any]) -> None:
        """Pictures hold no words to be read: a brief that asks for one is refused."""
        with pytest.raises(Refused):
            make(brief={**brief, "subject": "A boat called Jackpot"}, guardrails=Guardrails(words_never=("jackpot",)))


def opened(data_uri: str) -> Image.Image:
    """The picture in a data URI of WebP."""
    kind, _, data = data_uri.partition(",")
    assert kind == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))
