"""Every format is read, every trap refused with a reason, and nothing but clean text comes out."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import docx
import pypdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from atelier.workshop.contract import Inspection, Unreadable, Upload
from atelier.workshop.engines.text.reading import inspect
from atelier.workshop.engines.text.reading.languages import guess_language

A = "The baker opens before the birds and sells the last loaf while the town is still rubbing its eyes."
B = "Nobody asked the river for its opinion, so it wrote one down in mud and left it on the bridge."


@pytest.fixture
def read(tmp_path: Path):
    """Inspect bytes under a name; also says where the pieces were written."""

    def read(name: str, data: bytes | str, bytes_max: int = 10_000_000) -> Inspection:
        raw = data.encode() if isinstance(data, str) else data
        path = tmp_path / "upload"
        path.write_bytes(raw)
        upload = Upload(path=str(path), filename=name, sha256=hashlib.sha256(raw).hexdigest(), bytes=len(raw))
        return inspect(upload, tmp_path / "workspace", bytes_max=bytes_max)

    return read


@pytest.fixture
def texts(tmp_path: Path):
    def texts(found: Inspection) -> list[str]:
        return [(tmp_path / "workspace" / piece.file).read_text(encoding="utf-8") for piece in found.pieces]

    return texts


def word_bytes(*paragraphs: tuple[str, str | None]) -> bytes:
    document = docx.Document()
    for text, style in paragraphs:
        document.add_paragraph(text, style=style)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def pdf_bytes(*lines: str, password: str = "") -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out)
    for number, line in enumerate(lines):
        canvas.drawString(72, 760 - 16 * number, line)
    canvas.save()
    if not password:
        return out.getvalue()
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(out.getvalue())))
    writer.encrypt(password)
    locked = io.BytesIO()
    writer.write(locked)
    return locked.getvalue()


# One text ---------------------------------------------------------------------------------------------------------


def test_a_plain_text_is_one_piece_named_after_its_file(read, texts, tmp_path: Path) -> None:
    found = read("the_baker.txt", A)
    piece = found.pieces[0]
    raw = (tmp_path / "workspace" / piece.file).read_bytes()
    assert texts(found) == [A]
    assert (piece.title, piece.extent, piece.language, piece.excerpt) == ("The baker", 19, "en", A)
    assert (piece.sha256, piece.bytes) == (hashlib.sha256(raw).hexdigest(), len(raw))
    assert found.refusals == ()


def test_a_pasted_text_is_named_after_its_first_words(read) -> None:
    assert read("pasted.txt", A).pieces[0].title.startswith("The baker opens before")


def test_a_short_first_line_over_a_gap_is_the_title(read, texts) -> None:
    found = read("x.txt", f"A loaf at dawn\n\n{A}")
    assert found.pieces[0].title == "A loaf at dawn"
    assert texts(found) == [A]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_every_common_encoding_is_read(read, texts, encoding: str) -> None:
    text = "Le café d’à côté sert des crêpes jusqu’à minuit, et personne ne s’en plaint."
    assert texts(read("x.txt", text.encode(encoding))) == [text]


def test_text_is_cleaned(read, texts) -> None:
    dirty = "One\u200b two\x07 three\u00a0four \r\nfive\t six\u202e seven  \r\n\r\n\r\n\r\n\ufeffcafe\u0301 is nine"
    assert texts(read("x.txt", dirty)) == ["One two three four\nfive six seven\n\ncaf\u00e9 is nine"]


def test_a_file_name_cannot_lead_out_of_the_workspace(read, tmp_path: Path) -> None:
    found = read("../../etc/passwd.txt", A)
    assert found.pieces[0].file == "piece-0001.txt"
    assert {path.name for path in tmp_path.iterdir()} == {"upload", "workspace"}


# Many texts in one file ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ruler", ["---", "***", "===", "* * *", "------------"])
def test_rulers_divide_a_text(read, texts, ruler: str) -> None:
    assert texts(read("x.txt", f"{A}\n{ruler}\n{B}\n{ruler}\n")) == [A, B]


def test_headings_divide_markdown_and_become_titles(read, texts) -> None:
    found = read("x.md", f"# One\n\n{A} **Bold** [link](http://example.org)\n\n# Two\n\n{B}")
    assert [piece.title for piece in found.pieces] == ["One", "Two"]
    assert texts(found) == [f"{A} Bold link", B]


def test_one_heading_over_many_gives_the_many(read) -> None:
    body = "\n\n".join(f"## Part {name}\n\n{A}" for name in "abc")
    assert [p.title for p in read("x.md", f"# All of it\n\n{body}").pieces] == ["Part a", "Part b", "Part c"]


def test_an_underlined_title_is_no_ruler(read, texts) -> None:
    found = read("x.md", f"The morning bread\n=================\n\n{A}\n\nThe river writes\n================\n\n{B}")
    assert [p.title for p in found.pieces] == ["The morning bread", "The river writes"]
    assert texts(found) == [A, B]


def test_front_matter_gives_title_and_tags(read, texts) -> None:
    found = read("x.md", f"---\ntitle: The baker\ntags: [bread, dawn]\ndescription: A morning\n---\n{A}")
    piece = found.pieces[0]
    assert (piece.title, piece.tags, piece.description) == ("The baker", ("bread", "dawn"), "A morning")
    assert texts(found) == [A]


# Other formats ------------------------------------------------------------------------------------------------------


def test_a_page_is_read_as_its_visitors_see_it(read, texts) -> None:
    page = f"""<!doctype html><html><head><title>Shop</title><style>p {{}}</style></head><body><nav>Home Cart</nav>
    <h1>The <em>baker</em></h1><p>{A}</p><script>evil()</script><p hidden>unseen</p><p>{B}<br>End &amp; out.</p>
    <footer>All rights</footer></body></html>"""
    found = read("x.html", page)
    assert found.pieces[0].title == "The baker"
    assert texts(found) == [f"{A}\n\n{B}\nEnd & out."]


def test_articles_of_a_page_are_pieces(read, texts) -> None:
    page = (
        f"<html><body><article><h2>One</h2><p>{A}</p></article><article><h2>Two</h2><p>{B}</p></article></body></html>"
    )
    found = read("x.htm", page)
    assert [piece.title for piece in found.pieces] == ["One", "Two"]
    assert texts(found) == [A, B]


def test_a_declared_page_encoding_is_honoured(read, texts) -> None:
    page = (
        '<html><head><meta charset="iso-8859-2"></head><body><p>Zażółć gęślą jaźń, mówi żółw do żaby.</p></body></html>'
    )
    assert texts(read("x.html", page.encode("iso-8859-2"))) == ["Zażółć gęślą jaźń, mówi żółw do żaby."]


def test_a_word_document_is_read(read, texts) -> None:
    found = read("x.docx", word_bytes(("The baker", "Title"), (A, None), (B, None)))
    assert found.pieces[0].title == "The baker"
    assert texts(found) == [f"{A}\n\n{B}"]


def test_headings_divide_a_word_document(read, texts) -> None:
    data = word_bytes(("One", "Heading 1"), (A, None), ("Two", "Heading 1"), (B, None))
    found = read("x.docx", data)
    assert [piece.title for piece in found.pieces] == ["One", "Two"]
    assert texts(found) == [A, B]


def test_a_pdf_is_read_whatever_its_name_and_its_lines_joined(read, texts) -> None:
    half = A.split(" while ")
    found = read("x.txt", pdf_bytes(half[0], f"while {half[1]}"))
    assert texts(found) == [A]


def test_columns_of_a_table_are_found_by_name(read, texts) -> None:
    found = read("x.csv", f'Title;TEXT;Tags;Lesson\nBread;"{A}";"dawn, loaf";Rise early\nRiver;"{B}";;\n')
    assert [(p.title, p.tags, p.description) for p in found.pieces] == [
        ("Bread", ("dawn", "loaf"), "Rise early"),
        ("River", (), ""),
    ]
    assert texts(found) == [A, B]


def test_the_longest_column_of_an_unnamed_table_is_the_text(read, texts) -> None:
    assert texts(read("x.csv", f'1,"{A}",x\n2,"{B}",y\n')) == [A, B]


@pytest.mark.parametrize(
    "value",
    [[A, B], [{"Title": "One", "text": A}, {"title": "Two", "Body": B}], {"works": [{"fable": A}, {"content": B}]}],
)
def test_lists_of_texts_and_records_are_read(read, texts, value: object) -> None:
    assert texts(read("x.json", json.dumps(value))) == [A, B]


def test_one_record_a_line_is_read(read, texts) -> None:
    assert texts(read("x.json", "\n".join(json.dumps({"text": text}) for text in (A, B)))) == [A, B]


def test_the_fables_are_read_whole(read, shared_data: Path) -> None:
    found = read("aesop.json", (shared_data / "aesop_for_children.json").read_bytes())
    assert len(found.pieces) == 146
    assert found.refusals == ()
    assert found.pieces[0].title == "The Frogs and the Ox"
    assert found.pieces[0].description == "Do not attempt the impossible."
    assert {piece.language for piece in found.pieces} == {"en"}


# Refusals and advice ------------------------------------------------------------------------------------------------


def test_short_and_empty_pieces_are_refused_and_the_rest_taken(read, texts) -> None:
    found = read("x.json", json.dumps([A, "Too short", "", "12 34 56 78 90 11 12"]))
    assert texts(found) == [A]
    assert [(r.code, r.where) for r in found.refusals] == [
        ("too_short", "x.json, item 2"),
        ("empty", "x.json, item 3"),
        ("not_text", "x.json, item 4"),
    ]
    assert all(r.message and r.remedy for r in found.refusals)


def test_a_book_is_refused_with_advice_to_divide_it(read) -> None:
    with pytest.raises(Unreadable, match="20,000") as caught:
        read("x.txt", "word and " * 10_001)
    assert "---" in caught.value.remedy


def test_more_pieces_than_a_file_may_hold_are_left_out(read) -> None:
    found = read("x.json", json.dumps([f"{A} {number}" for number in range(503)]))
    assert len(found.pieces) == 500
    assert [r.code for r in found.refusals] == ["too_many_pieces"] * 3


def test_many_refusals_are_summed_up(read) -> None:
    found = read("x.json", json.dumps([A, *["no"] * 200]))
    assert len(found.refusals) == 51
    assert found.refusals[-1].message.startswith("150 more")


def test_short_pieces_and_mixed_languages_bring_advice(read) -> None:
    french = "Le boulanger ouvre avant les oiseaux et il vend le dernier pain quand la ville est encore dans son lit."
    found = read("x.json", json.dumps([A, french, "A line of six words only."]))
    assert "20 words" in found.pieces[2].advice[0]
    assert "2 languages (en, fr)" in found.advice[0]


BOMB = io.BytesIO()
with zipfile.ZipFile(BOMB, "w", zipfile.ZIP_DEFLATED) as bomb:
    bomb.writestr("word/document.xml", b"0" * 120_000_000)
ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>
one two three four five six &a;</w:t></w:r></w:p></w:body></w:document>"""


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("x.txt", b"", "empty"),
        ("x.txt", b" \n\t \xef\xbb\xbf", "empty"),
        ("x.txt", bytes(range(256)) * 8, "encoding"),
        ("x.txt", b"\x89PNG\r\n\x1a\n" + bytes(100), "picture"),
        ("x.txt", b"\x7fELF" + bytes(100), "program"),
        ("x.doc", b"\xd0\xcf\x11\xe0" + bytes(600), "old Office"),
        ("x.rtf", rb"{\rtf1 hello there my dear old friend}", "RTF"),
        ("x.docx", b"PK\x03\x04 cut off", "damaged"),
        ("x.docx", BOMB.getvalue(), "unpacks"),
        ("x.docx", word_bytes((A, None))[:-200], "damaged"),
        ("x.pdf", b"%PDF-1.7 nothing more", "damaged"),
        ("x.pdf", pdf_bytes(), "no text"),
        ("x.pdf", pdf_bytes(A, password="secret"), "password"),
        ("x.json", b'[{"text": "cut off', "broken at line 1"),
        ("x.json", b'{"name": "no works"}', "no list"),
        ("x.json", b"[" * 100_000, "JSON"),
        ("x.csv", b"title,text\n", "empty"),
        ("x.txt", b"four words are few", "4 words"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_used_is_refused_with_a_remedy(read, tmp_path: Path, name: str, data: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says) as caught:
        read(name, data)
    assert caught.value.remedy
    assert name in caught.value.where
    assert not (tmp_path / "workspace").exists()


def test_a_file_that_is_too_large_is_refused_unread(read) -> None:
    with pytest.raises(Unreadable, match="MB"):
        read("x.txt", A * 10, bytes_max=100)


def test_external_entities_of_a_word_document_are_never_read(read, texts) -> None:
    source, out = io.BytesIO(word_bytes((A, None))), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, ENTITIES if name == "word/document.xml" else old.read(name))
    try:
        found = texts(read("x.docx", out.getvalue()))
    except Unreadable:
        return
    assert all("root:" not in text for text in found)


def test_a_bomb_of_entities_in_a_page_stays_small(read) -> None:
    lol = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
    page = f'<!DOCTYPE html [<!ENTITY l0 "lol">{lol}]><html><body><p>{A} &l11;</p></body></html>'
    assert all(piece.extent < 200 for piece in read("x.html", page).pieces)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", A),
        ("fr", "Le vent se lève et il faut rentrer les chaises avant que la pluie ne vienne sur nous."),
        ("de", "Der Wind steht auf und wir müssen die Stühle in das Haus tragen, bevor es regnet."),
        ("es", "El viento se levanta y hay que meter las sillas en la casa antes de que llueva."),
        ("it", "Il vento si alza e bisogna portare le sedie in casa prima che la pioggia ci sia."),
        ("pt", "O vento levanta-se e é preciso levar as cadeiras para a casa antes que chova mais."),
        ("", "Zyx qwv plok brum tash."),
        ("", "No"),
    ],
)
def test_languages_are_guessed_or_left_open(language: str, text: str) -> None:
    assert guess_language(text) == language
