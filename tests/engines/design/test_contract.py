"""The design engine keeps the whole contract, trained on thirty works that were drawn for the demo."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import pytest
from design_works import WILMA, files_of
from lxml import etree
from PIL import Image

from atelier.workshop.contract import Engine, Preview
from atelier.workshop.contract.suite import EngineContract, Made
from atelier.workshop.engines.design import DesignEngine
from atelier.workshop.engines.design.showing import SIDE
from tests.engines.design.hostile import corpus


class TestDesignEngine(EngineContract):
    """All of the contract's tests."""

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Engine:
        return DesignEngine()

    @pytest.fixture(scope="class")
    @classmethod
    def good_uploads(cls) -> list[Path]:
        return files_of(WILMA)

    @pytest.fixture(scope="class")
    @classmethod
    def bad_uploads(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
        folder = tmp_path_factory.mktemp("bad")
        wanted = ("cut-off.svg", "empty.svg", "html.svg", "bomb.png", "cut-off.pdf", "program.svg", "nothing-drawn.svg")
        for name, data in corpus():
            if name in wanted:
                (folder / name).write_bytes(data)
        return sorted(folder.iterdir())

    @pytest.fixture(scope="class")
    @classmethod
    def brief(cls) -> dict[str, Any]:
        return {
            "kind": "post",
            "headline": "Harvest supper on Sunday",
            "text": "Long tables, short speeches",
            "place": "Old orchard",
            "subject": "fruit",
        }

    @pytest.fixture(scope="class")
    @classmethod
    def recipe(cls) -> dict[str, float | int | str | bool]:
        return {"proof_seeds": 2}

    def visible_share(self, made: Made, sample: int) -> float:
        """Shown pixels in parts of the most that a sample may have."""
        shown = [n.payload for n in made.news if isinstance(n, Preview) and n.sample == sample]
        sizes = [_size(each["image"]) for each in shown]
        assert [(each["width"], each["height"]) for each in shown] == sizes
        share = max((wide * high for wide, high in sizes), default=0) / SIDE**2
        return 1.0 if share > 0.98 else share

    def words_of(self, master: bytes) -> list[str]:
        """The words of the brief, and those of a master that come from the creator: names of the art in it."""
        if not master.lstrip().startswith(b"<?xml"):
            return re.findall(r"[^\W\d_]+", master.decode().casefold())
        labels = etree.fromstring(master).xpath("//*[@id='art']//*/@*[local-name()='label']")
        return re.findall(r"[^\W\d_]+", " ".join(map(str, labels)).casefold())


def _size(uri: str) -> tuple[int, int]:
    kind, _, body = uri.partition(",")
    assert kind == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(body))).size
