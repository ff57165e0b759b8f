"""Letters stand in the order in which they are read, lines break where they may, and nothing is drawn as a box."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atelier.workshop.engines.design.outline import Box
from atelier.workshop.engines.design.type.breaking import SOFT, THIN, joined, language, parts_of, softened
from atelier.workshop.engines.design.type.choosing import catalogue, fallbacks
from atelier.workshop.engines.design.type.direction import base_direction, levels, seen
from atelier.workshop.engines.design.type.faces import Face, Fontfile, in_faces, missing, pieces
from atelier.workshop.engines.design.type.setting import Block, Hand, broken, filled, fitted, placed, spacing, width

ROOM = Box(0, 0, 1000, 400)


def family(name: str, weight: int = 700) -> Face:
    found = next((each for each in catalogue() if each.family == name), None)
    if found is None:
        pytest.skip(f"the font {name} is not installed")
    return found.at(weight)


@pytest.fixture(scope="module")
def hand() -> Hand:
    return Hand((family("Inter"), *fallbacks()))


# Direction ------------------------------------------------------------------------------------------------------

SEEN = {  # as fribidi shows them, letters from left to right
    "Hello world": "Hello world",
    "שלום עולם": "םלוע םולש",
    "שלום 123": "123 םולש",
    "20% הנחה": "החנה 20%",
    "מחיר: ₪20 בלבד!": "!דבלב ₪20 :ריחמ",
    "Hello שלום world": "Hello םולש world",
    "שלום Hello עולם": "םלוע Hello םולש",
    "מרחבא (ABC) סוף": "ףוס (ABC) אבחרמ",
    "مرحبا 10:30 بالعالم": "ملاعلاب 10:30 ابحرم",
    "تخفيض ٢٠٪": "٪٢٠ ضيفخت",
    "C++ הוא": "C++ אוה",
    "tel. 03-1234567 תל אביב": "tel. 03-1234567 ביבא לת",
}


def visual(text: str) -> str:
    return "".join(letter for letter, _ in seen(list(zip(text, levels(text), strict=True))))


@pytest.mark.parametrize("text", SEEN)
def test_letters_are_seen_in_the_order_of_the_unicode_algorithm(text: str) -> None:
    expected = SEEN[text].replace("(ABC)", ")ABC(") if base_direction(text) == "rtl" else SEEN[text]
    assert visual(text) == expected  # brackets are mirrored by the font, not here


PARTS = [
    "שלום",
    "عالم",
    "Hello",
    "12",
    "3.5",
    "10:30",
    "₪20",
    "20%",
    "5–7",
    "(",
    ")",
    "!",
    ",",
    "-",
    "/",
    "١٢",
    "+",
    " ",
]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=7).map("".join))
def test_any_mixture_is_seen_as_another_implementation_shows_it(text: str) -> None:
    bidi = pytest.importorskip("bidi")
    text = text.strip()
    assert visual(text) == bidi.get_display(text)


def test_pieces_of_a_line_are_shaped_in_their_own_direction(hand: Hand) -> None:
    found = [(piece.text, piece.direction, piece.face.family) for piece in pieces("שלום ABC", hand.faces)]
    assert [text.strip() for text, *_ in found] == ["ABC", "שלום"]
    assert [direction for _, direction, _ in found] == ["ltr", "rtl"]
    assert found[0][2] == "Inter"
    assert found[1][2] != "Inter"


def test_a_line_of_a_hebrew_text_runs_from_the_right_even_if_it_begins_in_latin(hand: Hand) -> None:
    lines = filled(hand, "ברוכים הבאים אל Atelier בתל אביב", 8.0)
    begins = next(line for line in lines if line.text.startswith("Atelier"))
    assert begins.direction == "rtl"
    (letters,) = placed(Block(hand, (begins,), 40, 1.2), ROOM, "left")
    assert letters.left + letters.width == pytest.approx(ROOM.right)


def test_arabic_letters_are_joined() -> None:
    face = family("Noto Sans Arabic", 500)
    whole = sum(glyph.advance for glyph in face.shaped("سلام", "rtl"))
    apart = sum(face.shaped(letter, "rtl")[0].advance for letter in "سلام")
    assert whole < apart * 0.9


# Letters that are missing ---------------------------------------------------------------------------------------


def test_letters_that_no_face_has_are_named_once(hand: Hand) -> None:
    assert missing("Café שלום مرحبا नमस्ते Привет — 20 €", hand.faces) == ""
    assert missing("Party 🎉🎉 𓀀", hand.faces) == "🎉𓀀"


def test_marks_stay_with_the_letter_that_they_stand_on(hand: Hand) -> None:
    assert in_faces("e\u0301\u0323", hand.faces) == [("e\u0301\u0323", hand.faces[0])]


# Breaking lines -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two", [("", "one"), (" ", "two")]),
        ("東京、夏祭り。", [("", "東"), ("", "京、"), ("", "夏"), ("", "祭"), ("", "り。")]),
        ("「夏」", [("", "「夏」")]),
        (f"break{SOFT}able a{THIN}b", [("", "break"), (SOFT, "able"), (" ", "a"), (THIN, "b")]),
    ],
)  # fmt: skip
def test_lines_may_end_between_these_parts(text: str, expected: list[tuple[str, str]]) -> None:
    assert list(parts_of(text)) == expected


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_breaking_loses_no_word_and_is_even(hand: Hand, count: int) -> None:
    text = "Two scoops for one on Sunday afternoon at the old quay"
    lines = broken(hand, text, count)
    assert " ".join(line.text for line in lines) == text
    assert len(lines) == count
    greedy = filled(hand, text, max(line.width for line in lines) - 1e-6)
    assert len(greedy) > len(lines), "no narrower setting has so few lines"


def test_running_text_stays_within_its_measure(hand: Hand) -> None:
    text = "Every flavour, all afternoon, and a Donaudampfschifffahrtsgesellschaft for those who are still hungry"
    lines = filled(hand, text, 9.0)
    assert all(line.width <= 9.0 for line in lines)
    assert any(line.text.endswith("-") for line in lines)
    assert SOFT not in "".join(line.text for line in lines)


def test_words_that_fit_are_never_parted(hand: Hand) -> None:
    lines = filled(hand, "Extraordinary afternoon celebrations", 11.0)
    assert [line.text for line in lines] == ["Extraordinary", "afternoon", "celebrations"]


@pytest.mark.parametrize(
    ("text", "code", "parted"),
    [
        ("the celebration of the year", "en", "the cel|eb|ra|tion of the year"),
        ("Die Veranstaltung für alle", "de", "Die Ver|an|stal|tung für alle"),
        ("Une fabrication dans les Alpes", "fr", "Une fabri|ca|tion dans les Alpes"),
        ("Праздничная распродажа", "ru", "Празд|нич|ная рас|про|дажа"),
        ("שלום לכולם", "", "שלום לכולם"),
    ],
)
def test_the_language_decides_where_a_word_may_be_parted(text: str, code: str, parted: str) -> None:
    assert (language(text), softened(text).replace(SOFT, "|")) == (code, parted)


def test_thai_may_end_a_line_before_a_vowel_that_begins_a_syllable() -> None:
    assert THIN in softened("กรุงเทพมหานครแห่งประเทศไทย")


def test_a_headline_is_parted_only_where_that_makes_it_much_larger(hand: Hand) -> None:
    long = fitted(hand, "Weihnachtsbaumversteigerung für den Verein", 300, 300, largest=90)
    assert any(line.text.endswith("-") for line in long.lines)
    short = fitted(hand, "Wonderful afternoon", 300, 300, largest=60)
    assert not any(line.text.endswith("-") for line in short.lines)


def test_a_soft_hyphen_shows_only_at_the_end_of_a_line() -> None:
    parts = parts_of(f"break{SOFT}able")
    assert (joined(parts), joined(parts[:1], SOFT)) == ("breakable", "break-")


# Room between letters -------------------------------------------------------------------------------------------


def test_a_line_is_as_wide_as_its_letters_and_the_room_between_them(hand: Hand) -> None:
    spaced = Hand(hand.faces, 0.1)
    tied = sum(glyph.advance for glyph in hand.face.shaped("OFFICE", "ltr", tied=False))
    assert width(spaced, "OFFICE") == pytest.approx(tied + 0.5)


def test_letters_that_are_joined_are_never_spaced(hand: Hand) -> None:
    spaced = Hand(hand.faces, 0.1)
    assert spacing(spaced, "مرحبا") == 0
    assert spacing(spaced, "שלום") == 0.1


@pytest.mark.parametrize("align", ["left", "middle", "right"])
@pytest.mark.parametrize("text", ["Two scoops", "שלום עולם", "مرحبا 12 ABC"])
def test_lines_stand_where_they_are_aligned(hand: Hand, text: str, align: str) -> None:
    block = Block(hand, broken(hand, text, 1), 50, 1.2)
    (letters,) = placed(block, ROOM, align)  # type: ignore[arg-type]
    free = ROOM.width - letters.width
    turned = base_direction(text) == "rtl"
    expected = {"left": free if turned else 0, "middle": free / 2, "right": 0 if turned else free}[align]
    assert letters.left == pytest.approx(expected)
    assert letters.anchor == {"left": "start", "middle": "middle", "right": "end"}[align]
    box = letters.outline().box
    assert letters.left - 5 < box.left
    assert box.right < letters.left + letters.width + 5
    assert box.top == pytest.approx(ROOM.top, abs=12)


# Letters that several countries share ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "region"), [("東京の夏祭り", "JP"), ("서울 여름 축제", "KR"), ("北京夏季集市", "SC"), ("ㄅㄆ臺北", "TC")]
)
def test_shared_letters_are_set_as_their_country_writes_them(text: str, region: str) -> None:
    package = "justmytype_intl_cjk"
    pytest.importorskip(package)
    faces = tuple(
        Face(
            Fontfile(f"Noto Sans {r}", package, f"fonts/ofl/notosans{r.lower()}/NotoSans{r}[wght].ttf", (100, 900)), 500
        )
        for r in ("KR", "TC", "JP", "SC")
    )
    assert missing(text, faces) == ""
    assert {face.family for _, face in in_faces(text, faces)} == {f"Noto Sans {region}"}
