"""The text engine keeps the whole contract, with the smallest training that still learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from atelier.workshop.bases.cache import cache_folder
from atelier.workshop.contract import Engine
from atelier.workshop.contract.suite import EngineContract
from atelier.workshop.engines.text import TextEngine

WORKS = [
    "The ladder leans where it was left. Nobody climbs it, and still the apples come down to us one by one.",
    "We open at seven. The bread is ready before we are, and it does not mind waiting by the door.",
    "A coat with pockets for everything: the keys, the letter, the apple you will want at four o'clock.",
    "This soap smells of rain on warm stone. Use it slowly, and the morning will take its time too.",
    "The bicycle has no gears and no opinions. It goes where you look, and it waits where you stop.",
    "Our honey is from one hill. In a dry year there is little of it, and in a wet year there is less.",
    "The notebook lies flat. That is all it does, and it is the reason why you will fill it to the end.",
    "A lamp for reading and for nothing else. It lights the page and leaves the room to the evening.",
    "These boots were made for one winter at a time. Bring them back in spring, and we will mend the soles.",
    "The kettle is heavy when it is full and honest when it is empty. It sings the same note every day.",
    "An umbrella for two, or for one who waves his arms. It opens like an opinion and closes like a door.",
    "Our trains are slow on purpose. Between the towns there are hills, and somebody has to look at them.",
    "The spade knows the garden better than we do. It remembers each stone, and it says so every spring.",
    "Two chairs and a table the size of a newspaper. More is not needed for coffee, and less would be rude.",
    "This soup began on Tuesday. It has had time to think, and you will taste at what it arrived.",
    "The clock runs a minute fast. Nobody has missed the ferry since, and nobody has thanked the clock.",
    "Wool from our own sheep, who were asked politely. The scarf is as warm as they were indifferent.",
    "The map shows only footpaths. Where it is white, take off your shoes; that is where the river is.",
    "A pencil is a small promise. Ours are cedar outside and patience inside, sharpened twice by hand.",
    "We repair radios. Most of them only want to be listened to for a while before they speak again.",
    "The lighthouse is open on Sundays. There are many steps and one view, and both go all the way round.",
    "Figs, walnuts and a knife between them. Our picnic basket leaves out whatever ants would vote for.",
    "The library sends you a card on your birthday. It is also a reminder: the book was due in March.",
    "Our mattress does nothing clever. It lies there, as you will, and in the morning it lets you go.",
    "Paint the fence green and it is a hedge in winter. One tin is enough for the neighbours' side too.",
    "The night bus stops wherever you raise a hand. The driver has seen every dance and judges none.",
    "Salt from the bay, dried by wind that had nothing else to do. A pinch will bring the sea to eggs.",
    "A glove is lost alone, so we sell them by the one. Left or right, thumb up, whatever is missing.",
    "The choir meets when the bakery closes. You need no voice to begin with, only Thursday and a coat.",
    "Seeds for a balcony that faces north. They ask for little light, and they repay it in August.",
]
pytestmark = [pytest.mark.engine, pytest.mark.slow]


class TestTextEngine(EngineContract):
    """All of the contract's tests."""

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Engine:
        return TextEngine()

    @pytest.fixture(scope="class")
    @classmethod
    def good_uploads(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
        folder = tmp_path_factory.mktemp("good")
        for number, text in enumerate(WORKS):
            (folder / f"{number}.txt").write_text(text, encoding="utf-8")
        return sorted(folder.iterdir())

    @pytest.fixture(scope="class")
    @classmethod
    def bad_uploads(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
        folder = tmp_path_factory.mktemp("bad")
        (folder / "empty.txt").write_bytes(b"")
        (folder / "blank.md").write_bytes(b" \n\t\n")
        (folder / "binary.txt").write_bytes(bytes(range(256)) * 8)
        (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
        (folder / "cut.docx").write_bytes(b"PK\x03\x04" + bytes(40))
        (folder / "cut.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n<<")
        (folder / "broken.json").write_text('[{"text": "cut')
        (folder / "deep.json").write_text("[" * 100_000)
        return sorted(folder.iterdir())

    @pytest.fixture(scope="class")
    @classmethod
    def brief(cls) -> dict[str, Any]:
        return {"subject": "A wooden stool", "format": "tagline", "length": "long"}

    @pytest.fixture(scope="class")
    @classmethod
    def recipe(cls) -> dict[str, float | int | str | bool]:
        return {"rank": 4, "epochs": 1, "checks": 1, "samples": 1, "words": 20}

    @pytest.fixture(scope="class")
    @classmethod
    def cache_folders(cls) -> list[Path]:
        return [cache_folder()]
