"""The sketching engine keeps the whole contract for pictures."""

from __future__ import annotations

import base64
import io
import random
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from atelier.workshop.contract import BriefInvalid, Engine, Preview, Upload
from atelier.workshop.contract.fake.sketch import SketchEngine
from atelier.workshop.contract.fake.sketch.scene import Scene, Shape, from_svg, to_pixels, to_svg
from atelier.workshop.contract.suite import EngineContract, Made

COLOURS = ("#c6492c", "#7f9183", "#2f6272", "#d9a441", "#8c3b4a")


def drawn(seed: int) -> Scene:
    chance = random.Random(seed)
    places = [(chance.randint(0, 80), chance.randint(0, 40), chance.randint(12, 36)) for _ in range(6)]
    shapes = (Shape(chance.choice(("circle", "square", "triangle")), *at, chance.choice(COLOURS)) for at in places)
    return Scene("#f4efe6", tuple(shapes), f"Sheet {seed}")


class TestSketchEngine(EngineContract):
    """All of the contract's tests."""

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Engine:
        return SketchEngine()

    @pytest.fixture(scope="class")
    @classmethod
    def good_uploads(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
        folder = tmp_path_factory.mktemp("good")
        for number in range(8):
            (folder / f"{number}.svg").write_text(to_svg(drawn(number)), encoding="utf-8")
        (folder / "seen.png").write_bytes(to_pixels(drawn(9), 300, 200))
        return sorted(folder.iterdir())

    @pytest.fixture(scope="class")
    @classmethod
    def bad_uploads(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
        folder = tmp_path_factory.mktemp("bad")
        (folder / "empty.svg").write_bytes(b"")
        (folder / "latin.svg").write_bytes("<svg>é".encode("latin-1"))
        (folder / "bare.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>")
        (folder / "cut.png").write_bytes(to_pixels(drawn(1), 40, 40)[:40])
        (folder / "words.txt").write_text("no drawing")
        (folder / "huge.svg").write_bytes(b"<rect/>" * 200_000)
        return sorted(folder.iterdir())

    @pytest.fixture(scope="class")
    @classmethod
    def brief(cls) -> dict[str, Any]:
        return {"subject": "A harbour concert", "shape": "any"}

    def visible_share(self, made: Made, sample: int) -> float:
        shown = [news.payload for news in made.news if isinstance(news, Preview) and news.sample == sample]
        return max((payload["width"] * payload["height"] / (240 * 160) for payload in shown), default=0.0)

    def words_of(self, master: bytes) -> list[str]:
        found = re.findall(r"<text[^>]*>([^<]*)</text>", master.decode()) or [master.decode()]
        return [word.casefold() for word in re.findall(r"[^\W\d_]+", " ".join(found))]


def test_a_sheet_is_read_back_as_it_was_written() -> None:
    assert from_svg(to_svg(drawn(3))) == drawn(3)


def test_what_is_no_shape_is_left_behind(tmp_path: Path) -> None:
    hostile = to_svg(drawn(1)).replace("</svg>", "<script>alert(1)</script><image href='http://x.test/'/></svg>")
    (tmp_path / "a.svg").write_text(hostile)
    upload = Upload(path=str(tmp_path / "a.svg"), filename="a.svg", sha256="0" * 64, bytes=len(hostile))
    (tmp_path / "out").mkdir()
    (piece,) = SketchEngine().inspect(upload, tmp_path / "out").pieces
    assert (tmp_path / "out" / piece.file).read_text() == to_svg(drawn(1))


def test_a_picture_in_the_brief_is_shown_and_a_broken_one_named() -> None:
    from atelier.workshop.contract.fake.sketch.briefs import checked_brief

    out = io.BytesIO()
    Image.new("RGB", (50, 50), "#123456").save(out, "JPEG")
    told = checked_brief({"subject": "x", "picture": base64.b64encode(out.getvalue()).decode()})
    assert told["picture"].startswith(b"\x89PNG")
    with pytest.raises(BriefInvalid) as caught:
        checked_brief({"subject": "x", "picture": base64.b64encode(b"<svg/>").decode()})
    assert caught.value.where == "picture"
