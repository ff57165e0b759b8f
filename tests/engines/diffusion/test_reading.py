"""Pictures of strangers are read as pixels, the right way up, and nothing else that they say is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from drawings import draw
from PIL import Image

from atelier.workshop.contract import Piece, TooFewWorks, WorkFile
from atelier.workshop.contract.suite import upload_of
from atelier.workshop.engines.diffusion.briefs import nearest_shape, size
from atelier.workshop.engines.diffusion.captions import caption, manners
from atelier.workshop.engines.diffusion.inspection import inspect
from atelier.workshop.engines.diffusion.splits import WORKS_MIN, read, split
from atelier.workshop.pictures.fingerprints import NEAR_AT, similarity


def piece_of(path: Path, workspace: Path) -> Piece:
    (piece,) = inspect(upload_of(path), workspace, bytes_max=10_000_000).pieces
    return piece


def test_a_picture_is_turned_upright_and_loses_what_its_file_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    exif[0x013B] = "Somebody"
    draw(1).save(tmp_path / "turned_boat.jpg", exif=exif, comment=b"at home")
    piece = piece_of(tmp_path / "turned_boat.jpg", tmp_path / "out")
    with Image.open(tmp_path / "out" / piece.file) as clean:
        assert clean.size == (120, 160)
        assert not clean.getexif()
    raw = (tmp_path / "out" / piece.file).read_bytes()
    assert b"Somebody" not in raw
    assert b"at home" not in raw
    assert piece.title == "Turned boat"
    assert piece.advice


def test_its_preview_is_a_small_picture(tmp_path: Path) -> None:
    draw(1, size=(1600, 1200)).save(tmp_path / "large.png")
    piece = piece_of(tmp_path / "large.png", tmp_path / "out")
    assert piece.preview is not None
    with Image.open(tmp_path / "out" / piece.preview.path) as preview:
        assert (preview.format, preview.size) == ("WEBP", (512, 384))
    assert not piece.advice


def test_what_is_transparent_is_looked_at_on_white(tmp_path: Path) -> None:
    picture = draw(2).convert("RGBA")
    picture.putalpha(Image.radial_gradient("L").resize(picture.size))
    picture.save(tmp_path / "round.png")
    ground = Image.new("RGBA", picture.size, "white")
    Image.alpha_composite(ground, picture).convert("RGB").save(tmp_path / "plain.png")
    left, right = (piece_of(tmp_path / name, tmp_path / name[:5]) for name in ("round.png", "plain.png"))
    assert similarity(left.fingerprints[0], right.fingerprints[0]) > NEAR_AT


def test_near_copies_are_told_and_share_a_band(tmp_path: Path) -> None:
    draw(3, size=(640, 480)).save(tmp_path / "first.png")
    draw(3, size=(640, 480)).resize((400, 300)).save(tmp_path / "again.jpg", quality=60)
    draw(4, size=(640, 480)).save(tmp_path / "other.png")
    first, again, other = (
        piece_of(tmp_path / name, tmp_path / "out").fingerprints[0] for name in ("first.png", "again.jpg", "other.png")
    )
    assert similarity(first, again) >= NEAR_AT > similarity(first, other)
    assert set(first.bands) & set(again.bands)


def test_near_copies_stay_on_one_side_mirrored_ones_too(
    write_works: Callable[..., tuple[WorkFile, ...]], tmp_path: Path
) -> None:
    works = [read(work) for work in write_works(14)]
    mirrored = works[0].picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mirrored.save(tmp_path / "mirrored.png")
    twin = WorkFile(id="twin", path=str(tmp_path / "mirrored.png"), sha256="0" * 64, title="Twin")
    for seed in range(4):
        divided = split([*works, read(twin)], seed)
        parts = [{each.work.id for each in part} for part in (divided.train, divided.stop, divided.test)]
        assert sum(len(part) for part in parts) == 15
        assert sum({"twin", works[0].work.id} <= part for part in parts) == 1
        assert divided == split([read(twin), *reversed(works)], seed)


def test_copies_do_not_count_as_works(write_works: Callable[..., tuple[WorkFile, ...]]) -> None:
    (work,) = write_works(1)
    copies = [read(work.model_copy(update={"id": str(number)})) for number in range(WORKS_MIN)]
    with pytest.raises(TooFewWorks, match="near copies"):
        split(copies, 0)


def test_shapes_have_about_as_many_pixels_as_the_base_was_trained_on() -> None:
    for side, multiple in ((512, 64), (1024, 32)):
        for shape in ("square", "portrait", "landscape", "tall", "wide"):
            width, height = size(shape, side, multiple)
            assert width % multiple == height % multiple == 0
            assert 0.85 < width * height / side**2 < 1.15
            assert nearest_shape(width, height) == shape


def test_words_come_from_what_the_creator_says() -> None:
    work = WorkFile(
        id="w", path="", sha256="0" * 64, title="Night\nferry", tags=("linocut", "sea"), description="In two inks."
    )
    assert caption(work) == "Night ferry, linocut, sea, In two inks."
    night = Image.fromarray(np.full((40, 40, 3), (10, 20, 70), dtype=np.uint8))
    tags, colours, both = manners([work], [night])
    assert "linocut, sea" in tags
    assert "dark" in colours
    assert "linocut" in both
    assert "dark" in both
