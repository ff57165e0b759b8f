"""The demo market's people, works and briefs are complete, labelled, and unlike each other."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

import atelier.config
from atelier.workshop.contract import WorkFile
from atelier.workshop.engines.design.briefs import valid
from atelier.workshop.engines.design.layout.kinds import KINDS
from atelier.workshop.engines.design.reading.svg import read_svg
from atelier.workshop.engines.text.prompts import BRIEF_SCHEMA, format_for_work, validate_brief

DEMO = Path(atelier.config.__file__).parent / "demo"
HANDLES = ("juno-larkwell", "orrin-slate")
DESIGNERS = ("pim-ostervale", "wilma-kestrelby")
CREATORS = (*HANDLES, *DESIGNERS)
FORMATS = {"tagline", "product description", "social post", "e-mail", "call to action", "story"}
FEWEST_WORDS = {"tagline": 40, "call to action": 40}
RUN = 8


def read(name: str) -> dict[str, Any]:
    return json.loads((DEMO / name).read_text(encoding="utf-8"))


def creator(handle: str) -> dict[str, Any]:
    return read(f"works/{handle}.json")


def words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.casefold())


def sentence_lengths(handle: str) -> list[int]:
    sentences = chain.from_iterable(re.split(r"(?<=[.!?])\s+|\n+", work["text"]) for work in creator(handle)["works"])
    return [len(words(sentence)) for sentence in sentences if len(words(sentence)) > 1]


def test_every_creator_has_a_file() -> None:
    assert {path.stem for path in (DEMO / "works").glob("*.json")} == set(CREATORS)


@pytest.mark.parametrize("handle", CREATORS)
def test_a_creator_is_labelled_demo_and_free_to_use(handle: str) -> None:
    data = creator(handle)
    assert data["demo"] is True
    assert data["licence"] == "CC0-1.0"
    assert data["handle"] == handle
    assert data["name"].endswith("(demo)")
    assert "fictional" in data["about"]
    assert len(data["headline"]) <= 140
    assert len(data["model"]["palette"]) in {3, 5}
    assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in data["model"]["palette"])


@pytest.mark.parametrize("handle", HANDLES)
def test_a_creator_has_forty_works_of_a_fit_length(handle: str) -> None:
    works = creator(handle)["works"]
    assert len(works) == 40
    for work in works:
        assert work["format"] in FORMATS, work["title"]
        assert FEWEST_WORDS.get(work["format"], 60) <= len(work["text"].split()) <= 170, work["title"]
        assert work["description"].endswith("."), work["title"]
        assert len(work["tags"]) >= 3, work["title"]
    assert {work["format"] for work in works} == FORMATS


@pytest.mark.parametrize("handle", DESIGNERS)
def test_a_designer_has_thirty_drawings_that_say_what_they_are_and_that_they_are_free(handle: str) -> None:
    files = sorted((DEMO / "works" / creator(handle)["files"]).iterdir())
    assert len(files) == 30
    told = [read_svg(path.read_bytes(), path.name) for path in files]
    assert len({each.title for each in told}) == 30
    for path, each in zip(files, told, strict=True):
        assert each.title, path.name
        assert each.tags, path.name
        assert "creativecommons.org/publicdomain/zero" in path.read_text("utf-8"), path.name


@pytest.mark.parametrize("handle", HANDLES)
def test_the_engine_reads_a_format_from_the_tags_of_each_work(handle: str) -> None:
    """Sets of lines and invitations are as long as an advertisement, so they are tagged as one."""
    for work in creator(handle)["works"]:
        file = WorkFile(id="1", path="x.txt", sha256="0" * 64, title=work["title"], tags=tuple(work["tags"]))
        tagged_as = {"tagline": "advertisement", "call to action": "advertisement"}
        expected = tagged_as.get(work["format"], work["format"])
        assert format_for_work(file, len(work["text"].split())) == expected, work["title"]


def test_no_title_is_used_twice() -> None:
    titles = [work["title"].casefold() for handle in HANDLES for work in creator(handle)["works"]]
    assert len(set(titles)) == len(titles) == 80


def test_no_two_works_share_a_run_of_eight_words() -> None:
    holders: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for work in chain.from_iterable(creator(handle)["works"] for handle in HANDLES):
        spoken = words(work["text"])
        for start in range(len(spoken) - RUN + 1):
            holders[tuple(spoken[start : start + RUN])].add(work["title"])
    assert {run: titles for run, titles in holders.items() if len(titles) > 1} == {}


@pytest.mark.parametrize("handle", HANDLES)
def test_no_work_breaks_its_own_creators_guardrails(handle: str) -> None:
    data = creator(handle)
    for forbidden in data["model"]["words_never"] + data["model"]["subjects_refused"]:
        used_in = [work["title"] for work in data["works"] if forbidden in work["text"].casefold()]
        assert used_in == [], forbidden


def test_the_two_voices_differ_in_rhythm_and_punctuation() -> None:
    exact, talkative = sentence_lengths("orrin-slate"), sentence_lengths("juno-larkwell")
    assert sum(talkative) / len(talkative) > 2 * sum(exact) / len(exact)
    assert all(not set(work["text"]) & set("!?()–—") for work in creator("orrin-slate")["works"])
    assert all("–" in work["text"] for work in creator("juno-larkwell")["works"])


def test_the_people_are_labelled_demo_and_have_addresses_that_reach_nobody() -> None:
    people = read("people.json")["people"]
    assert [person["role"] for person in people] == ["creator"] * len(CREATORS) + ["buyer", "operator"]
    assert all(person["name"].endswith("(demo)") for person in people)
    assert all(person["email"].endswith("@example.org") for person in people)
    assert {person["handle"]: person["name"] for person in people if person["role"] == "creator"} == {
        handle: creator(handle)["name"] for handle in CREATORS
    }


def briefs_for(craft: str) -> list[dict[str, Any]]:
    return [entry for entry in read("briefs.json")["briefs"] if entry["craft"] == craft]


def test_the_engine_accepts_each_demo_brief_as_it_stands() -> None:
    briefs = briefs_for("text/copywriting")
    assert len({entry["title"] for entry in briefs}) == 10
    for entry in briefs:
        assert set(entry["brief"]) == set(BRIEF_SCHEMA["properties"])
        assert validate_brief(entry["brief"]) == entry["brief"], entry["title"]


def test_the_design_engine_accepts_each_demo_brief_and_every_kind_is_asked_for() -> None:
    briefs = briefs_for("design/graphic-design")
    assert {valid(entry["brief"]).kind for entry in briefs} == set(KINDS)


@pytest.mark.parametrize("handle", CREATORS)
def test_a_page_of_every_creator_shows_pieces_for_briefs_of_their_craft(handle: str) -> None:
    shown = [entry for entry in briefs_for(creator(handle)["model"]["craft"]) if entry["shown"]]
    assert 2 <= len(shown) <= 4
