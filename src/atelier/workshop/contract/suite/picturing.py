"""Tests of what is looked at: previews of works, pictures of samples, and what a training shows."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from atelier.workshop.contract.specs import Capabilities, FileRef, Inspection, Preview, TrainSpec

from .means import Made, Means, Trained, assert_survives_json

FORMATS = {"image/png": "PNG", "image/webp": "WEBP"}
PREVIEW_SIDE, PREVIEW_BYTES = 512, 1_000_000
SAMPLE_BYTES = 400_000


class Picturing(Means):
    """Pictures are PNG or WebP of the size that is told. Skipped where an engine shows none."""

    def test_previews_of_works_are_small_pictures(self, inspections: list[tuple[Path, Inspection]]) -> None:
        shown = [(place, piece) for place, found in inspections for piece in found.pieces if piece.preview]
        if not shown:
            pytest.skip("the works of this engine are read rather than looked at")
        for workspace, piece in shown:
            assert piece.preview is not None
            raw = read(workspace, piece.preview)
            assert len(raw) <= PREVIEW_BYTES
            assert max(size_of(raw, piece.preview.media_type)) <= PREVIEW_SIDE
            assert piece.preview.path != piece.file

    def test_samples_are_shown_as_pictures_of_the_size_that_is_told(
        self, capabilities: Capabilities, make: Callable[..., Made]
    ) -> None:
        if capabilities.output_kind != "image":
            pytest.skip("this engine makes no pictures")
        made = make(seeds=(1, 2), reveal=0.5)
        previews = [news for news in made.news if isinstance(news, Preview)]
        assert {news.sample for news in previews} == {0, 1}
        for shown in [*(news.payload for news in previews), *(output.reduced for output in made.outputs)]:
            assert size_in(str(shown["image"])) == (shown["width"], shown["height"])
        for output in made.outputs:
            assert output.reduced["told"].strip()

    def test_parts_and_sheets_are_named_and_drawn_beside_the_adapter(self, trained: Trained, spec: TrainSpec) -> None:
        result = trained.result
        if not result.parts and not result.sheets:
            pytest.skip("this engine shows nothing of what it learned")
        names = [part.name for part in result.parts]
        assert len(names) == len(set(names))
        assert all(0 < len(part.name) <= 120 and part.title and part.group for part in result.parts)
        assert {part.work for part in result.parts if part.work} <= {work.sha256 for work in spec.works}
        assert all(part.tags for part in result.parts if part.guessed)
        for sheet in result.sheets:
            assert sheet.title
            assert sheet.told
            raw = read(trained.workspace, sheet.picture)
            assert size_of(raw, sheet.picture.media_type) == (sheet.width, sheet.height)
        for picture in (part.picture for part in result.parts if part.picture):
            size_of(read(trained.workspace, picture), picture.media_type)
            assert not picture.path.startswith(f"{result.adapter_dir}/")
        assert_survives_json(result)


def read(workspace: Path, file: FileRef) -> bytes:
    """The bytes of a file in a workspace, which are those that it names."""
    raw = (workspace / file.path).read_bytes()
    assert (len(raw), hashlib.sha256(raw).hexdigest()) == (file.bytes, file.sha256)
    return raw


def size_in(uri: str) -> tuple[int, int]:
    """The size in pixels of the picture in a data URI."""
    head, _, body = uri.partition(",")
    media_type = head.removeprefix("data:").removesuffix(";base64")
    assert head == f"data:{media_type};base64"
    assert len(uri) <= SAMPLE_BYTES
    return size_of(base64.b64decode(body, validate=True), media_type)


def size_of(raw: bytes, media_type: str) -> tuple[int, int]:
    """The size in pixels of a picture of that type."""
    from PIL import Image

    with Image.open(io.BytesIO(raw), formats=[FORMATS[media_type]]) as opened:
        opened.load()
        return opened.size
