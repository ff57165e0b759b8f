"""A master leaves the house in every format, with its words intact and always the same bytes."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import docx
import pytest

from atelier.workshop.contract import WorkshopError
from atelier.workshop.engines.text.export import FORMATS, export

TEXT = "First line\nsecond line\n\n# not a heading, 2 * 3 * 4 & <b>\n- no list\n1. no number\n\nZoë’s “end” 🙂"


@pytest.fixture
def master(tmp_path: Path) -> Path:
    path = tmp_path / "sample-1.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_the_same_master_gives_the_same_bytes(master: Path, tmp_path: Path, form) -> None:
    one = export(master, form.name, tmp_path / "one")
    other = export(master, form.name, tmp_path / "other")
    data = (tmp_path / "one" / one.path).read_bytes()
    assert one == other
    assert (one.sha256, one.bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    assert one.media_type == form.media_type
    assert one.path == f"sample-1{form.suffix}"


def test_plain_text_is_the_master(master: Path, tmp_path: Path) -> None:
    file = export(master, "txt", tmp_path / "out")
    assert (tmp_path / "out" / file.path).read_text(encoding="utf-8") == TEXT + "\n"


def test_markdown_shows_the_words_and_not_its_own_signs(master: Path, tmp_path: Path) -> None:
    file = export(master, "md", tmp_path / "out")
    lines = (tmp_path / "out" / file.path).read_text(encoding="utf-8").split("\n")
    assert lines[0] == "First line  "
    assert lines[3].startswith(r"\# not a heading, 2 \* 3 \* 4 & \<b\>")
    assert lines[4].startswith(r"\- no list")
    assert lines[5] == r"1\. no number"


def test_a_word_document_holds_the_paragraphs_and_no_time(master: Path, tmp_path: Path) -> None:
    file = export(master, "docx", tmp_path / "out")
    path = tmp_path / "out" / file.path
    document = docx.Document(str(path))
    assert [p.text for p in document.paragraphs] == TEXT.split("\n\n")
    assert document.core_properties.author == ""
    with zipfile.ZipFile(path) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_characters_that_xml_cannot_hold_do_not_break_a_word_document(master: Path, tmp_path: Path) -> None:
    master.write_text("one\x0c\x00two", encoding="utf-8")
    file = export(master, "docx", tmp_path / "out")
    assert [p.text for p in docx.Document(str(tmp_path / "out" / file.path)).paragraphs] == ["onetwo"]


def test_an_unknown_format_is_refused_and_writes_nothing(master: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkshopError, match="pdf") as caught:
        export(master, "pdf", tmp_path / "out")
    assert "docx" in caught.value.remedy
    assert not (tmp_path / "out").exists()


def test_a_master_is_never_overwritten(master: Path) -> None:
    file = export(master, "txt", master.parent)
    assert master.read_text(encoding="utf-8") == TEXT
    assert file.path != master.name
