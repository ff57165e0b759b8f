"""Words of several languages mean the same; what cannot be read means nothing, rather than anything."""

from __future__ import annotations

import numpy as np
import pytest

from atelier.workshop.engines.design.learning.english import in_english
from atelier.workshop.engines.design.learning.meaning import meaning
from atelier.workshop.engines.design.making import SUITS

THINGS = {
    "sailing boat, boat, sea": "Segelboot Boote bateau barco barca łódka лодка 船 보트 قارب เรือ नाव zeilboot",
    "cat, pet, animal": "Katze Katzen gato gatto kočka kissa кошка 猫 고양이 قطة แมว kedi",
    "bicycle, bike, sport": "Fahrrad vélo bicicletta fiets rower cykel велосипед 自転車 자전거 bisiklet",
    "tree, forest, nature": "Baum arbre árbol albero drzewo träd дерево 木 나무 شجرة ağaç",
    "bread, bakery, food": "Brot chleb хлеб パン ekmek bröd",
}


@pytest.mark.parametrize("tags", THINGS)
def test_a_thing_is_found_by_its_name_in_many_languages_and_no_other_is_nearer(tags: str) -> None:
    for word in THINGS[tags].split():
        near = {other: float(meaning(word) @ meaning(other)) for other in THINGS}
        assert max(near, key=lambda other: near[other]) == tags, (word, in_english(word), near)
        assert near[tags] >= SUITS, (word, in_english(word), near)


def test_works_named_in_one_language_are_found_by_another() -> None:
    for works, asked in (("Segelboot, Meer", "boat"), ("chat noir", "Katze"), ("자전거", "bicicletta")):
        assert float(meaning(works) @ meaning(asked)) >= SUITS, (in_english(works), in_english(asked))


@pytest.mark.parametrize(
    "text",
    [
        "Harvest supper on Sunday",
        "Summer sale",
        "apple, fruit, food, market, autumn",
        "Two scoops for one on Sunday",
        "pattern of cactuses and pears",
        "gift",
        "boot",
    ],
)
def test_english_stays_as_it_is(text: str) -> None:
    assert in_english(text) == text


def test_words_of_other_languages_around_a_common_english_one_tell_which_it_is() -> None:
    assert in_english("das Boot") == "boat"
    assert "cat" in in_english("le petit chat").split()


def test_what_cannot_be_read_means_nothing() -> None:
    assert in_english("неизвестнейший") == ""
    assert not meaning("неизвестнейший").any()
    assert in_english("Qwertzuiop") == "Qwertzuiop"
    assert np.linalg.norm(meaning("Qwertzuiop")) == pytest.approx(1, abs=1e-5)
    for text in ("", " ", ",,", "123", "🙂", "\u200d", "a" * 5000, "木" * 5000, "ก" * 5000):
        assert np.isfinite(meaning(text)).all()
