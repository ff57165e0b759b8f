"""What is made keeps to the brief, differs from seed to seed, and shows every trait that was learned."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from design_checks import faults
from design_works import PIM, WILMA, files_of, learned, taken_in
from random_briefs import random_briefs

from atelier.workshop.contract import AdapterInvalid, Ancestor, BriefInvalid, Pick
from atelier.workshop.engines.design.briefs import valid
from atelier.workshop.engines.design.drawing import raster
from atelier.workshop.engines.design.learning.learn import learn, seen
from atelier.workshop.engines.design.learning.meaning import meaning
from atelier.workshop.engines.design.learning.style import Style, load, save
from atelier.workshop.engines.design.making import Made, Order, make
from atelier.workshop.engines.design.proof.evaluation import BRIEFS, composed
from atelier.workshop.engines.design.proof.habits import away
from atelier.workshop.engines.design.proof.hands import nobody
from atelier.workshop.engines.design.proof.judging import distances
from atelier.workshop.engines.design.tagging import tagged
from atelier.workshop.engines.design.taste import prefer
from atelier.workshop.engines.design.varying import VARIATIONS, vary
from atelier.workshop.engines.design.vetoes import HABITS, Vetoed, without
from atelier.workshop.pictures.fingerprints import distance, fingerprint

BRIEF = {"kind": "post", "headline": "Harvest supper", "text": "Long tables", "action": "Come by", "subject": "apple"}


@pytest.fixture(scope="module")
def wilma(tmp_path_factory: pytest.TempPathFactory) -> Style:
    return learned(WILMA, tmp_path_factory.mktemp(WILMA))


@pytest.fixture(scope="module")
def pim(tmp_path_factory: pytest.TempPathFactory) -> Style:
    return learned(PIM, tmp_path_factory.mktemp(PIM))


def made(style: Style, seed: int = 1, **changes: Any) -> Made:
    brief = valid({**BRIEF, **changes})
    return make(style, Order(brief, meaning(brief.subject), seed))


def look(piece: Made) -> str:
    return fingerprint(raster(piece.scene, piece.plan.kind.sheet, 256, 256, ground="#ffffff")).value


def test_fifty_random_briefs_are_set_without_a_fault(wilma: Style, pim: Style) -> None:
    found = {}
    for number, fields in enumerate(random_briefs(50, seed=3)):
        brief = valid(fields)
        piece = make((wilma, pim)[number % 2], Order(brief, meaning(brief.subject), number * 7919))
        if wrong := faults(piece):
            found[number, fields["kind"], fields["headline"]] = wrong
    assert found == {}


def test_fifty_briefs_give_fifty_different_pieces(wilma: Style) -> None:
    hashes = []
    for number, fields in enumerate(random_briefs(50, seed=5, kinds=("post",))):
        brief = valid(fields)
        hashes.append(look(make(wilma, Order(brief, meaning(brief.subject), number))))
    apart = [distance(one, other) for one, other in itertools.combinations(hashes, 2)]
    assert np.mean(apart) > 85  # bits of 256 that differ; 128 have nothing in common
    assert sum(each <= 31 for each in apart) <= 0.02 * len(apart)  # near copies


def test_seeds_of_one_brief_differ_and_one_seed_does_not(wilma: Style) -> None:
    pieces = [made(wilma, seed) for seed in range(8)]
    assert look(pieces[3]) == look(made(wilma, 3))
    hashes = [look(each) for each in pieces]
    assert min(distance(a, b) for a, b in itertools.combinations(hashes, 2)) > 8
    assert len({piece.plan.scheme.ground for piece in pieces}) >= 3


def test_without_a_motif_for_the_subject_words_and_forms_stand_alone(wilma: Style) -> None:
    piece = made(wilma, headline="Tax law update", text="", subject="corporate income tax directive")
    assert piece.plan.arts == ()
    assert piece.works == ()
    assert not faults(piece)
    colours = {swatch.colour for swatch in wilma.palette.swatches}
    assert {field.colour for field in piece.plan.fields} <= colours | {piece.plan.scheme.fields[1]}


@pytest.mark.parametrize("way", [each.name for each in VARIATIONS])
def test_a_piece_made_anew_keeps_what_it_says(wilma: Style, way: str) -> None:
    brief = valid(BRIEF)
    parent = made(wilma, 5)
    changed = valid({**BRIEF, "headline": "Cider press"}) if way == "words" else brief
    order = Order(changed, meaning(changed.subject), 99)
    child = vary(wilma, order, Ancestor(way=way, brief=BRIEF, seed=5))
    again = vary(wilma, order, Ancestor(way=way, brief=BRIEF, seed=5))
    assert look(child) == look(again)
    assert not faults(child)
    if way in ("near", "palette", "words"):
        assert child.plan.scheme.ground == parent.plan.scheme.ground
    if way in ("layout", "words"):
        assert child.plan.way == parent.plan.way
        assert len(child.plan.fields) == len(parent.plan.fields)
    if way == "layout":
        assert child.plan.scheme.ground != parent.plan.scheme.ground
    if way == "palette":
        assert look(child) != look(parent)
    if way == "words":
        assert child.task.said["headline"] == "Cider press"


@pytest.mark.parametrize("way", [each.name for each in VARIATIONS])
def test_what_is_forbidden_since_does_not_come_down_from_an_ancestor(wilma: Style, way: str) -> None:
    brief = valid(BRIEF)
    parent = made(wilma, 5)
    motif = parent.plan.arts[0].motif
    for vetoed in (
        Vetoed(motifs=frozenset({motif.name})),
        Vetoed(words=(motif.words[0],)),
        Vetoed(colours=frozenset({parent.plan.scheme.ground})),
    ):
        child = vary(
            wilma, Order(brief, meaning(brief.subject), 9, vetoed=vetoed), Ancestor(way=way, brief=BRIEF, seed=5)
        )
        if not vetoed.colours:
            assert motif not in [art.motif for art in child.plan.arts]
        assert child.plan.scheme.ground not in vetoed.colours


def test_a_line_of_ancestors_ends(wilma: Style) -> None:
    brief = valid(BRIEF)
    line = Ancestor(way="near", brief=BRIEF, seed=1)
    for seed in range(9):
        line = Ancestor(way="near", brief=BRIEF, seed=seed, vary=line)
    with pytest.raises(BriefInvalid):
        vary(wilma, Order(brief, meaning(brief.subject), 1), line)


def test_picks_move_the_ranking_towards_what_was_picked(wilma: Style) -> None:
    brief = valid(BRIEF)
    vector = meaning(brief.subject)
    pieces = [make(wilma, Order(brief, vector, seed)) for seed in range(24)]
    picks = [
        Pick(chosen=one.plan.features, others=(other.plan.features,))
        for one, other in itertools.product(pieces, pieces)
        if one.plan.align == "middle" and other.plan.align != "middle"
    ]
    assert picks
    taste = prefer(picks)
    assert taste["align:middle"] < 0
    before = sum(each.plan.align == "middle" for each in pieces)
    after = sum(make(wilma, Order(brief, vector, seed, taste)).plan.align == "middle" for seed in range(24))
    assert after > before
    assert prefer([]) == {}


def test_a_process_may_begin_with_any_part_of_the_engine() -> None:
    for part in ("taste", "layout.search", "learning.motifs", "reading", "making", "attribution", "varying"):
        told = [sys.executable, "-c", f"import atelier.workshop.engines.design.{part}"]
        done = subprocess.run(told, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (part, done.stderr[-300:])


def test_no_taste_makes_faults_welcome() -> None:
    picks = [Pick(chosen={"crossing": 5.0, "empty": 3.0}, others=({"crossing": 0.0, "empty": 0.0},))] * 500
    taste = prefer(picks)
    assert "crossing" not in taste
    assert taste["empty"] >= -1.13


def test_a_vetoed_motif_colour_and_what_guardrails_name_are_not_used(wilma: Style) -> None:
    piece = made(wilma, 2)
    motif = piece.plan.arts[0].motif
    colour = piece.plan.scheme.ground
    brief = valid(BRIEF)
    vetoed = Vetoed.named([f"motif:{motif.name}", f"colour:{colour}", "motif:9999", "nonsense"])
    for seed in range(6):
        other = make(wilma, Order(brief, meaning(brief.subject), seed, vetoed=vetoed))
        assert motif not in [art.motif for art in other.plan.arts]
        assert other.plan.scheme.ground != colour
    assert not any("apple" in each.words for each in without(wilma, Vetoed(words=("apple",))).motifs)


def test_a_motif_is_shown_for_the_words_its_creator_gives_it_and_no_longer_for_the_old_ones(wilma: Style) -> None:
    place = next(n for n, motif in enumerate(wilma.motifs) if 0.3 < motif.shape < 3 and motif.cover < 0.9)
    guessed = replace(wilma.motifs[place], named=False)
    wilma = replace(wilma, motifs=(*wilma.motifs[:place], guessed, *wilma.motifs[place + 1 :]))
    brief = valid({**BRIEF, "subject": "submarine"})
    tags = {f"motif:{guessed.name}": ("submarine",), "motif:nobody-1": ("submarine",)}
    before = [make(wilma, Order(brief, meaning("submarine"), seed)) for seed in range(4)]
    after = [make(wilma, Order(brief, meaning("submarine"), seed, tags=tags)) for seed in range(4)]
    assert not any(guessed.name in {art.motif.name for art in piece.plan.arts} for piece in before)
    assert all(guessed.name in {art.motif.name for art in piece.plan.arts} for piece in after)
    apple = next(motif for motif in wilma.motifs if motif.whole and "apple" in motif.words)
    tags = {f"motif:{apple.name}": ("submarine",)}
    renamed = tagged(wilma, tags)
    assert not any("apple" in motif.words for motif in renamed.motifs if motif.name == apple.name)
    forbidden = Vetoed(words=("submarine",))
    assert apple.name not in {each.name for each in without(renamed, forbidden).motifs}
    fruit = valid(BRIEF)
    for seed in range(4):
        piece = make(wilma, Order(fruit, meaning("apple"), seed, tags=tags))
        assert apple.name not in {art.motif.name for art in piece.plan.arts if art.role == "hero"}


def test_what_is_called_as_asked_for_is_shown_rather_than_what_is_like_it(wilma: Style, pim: Style) -> None:
    asked = ((wilma, "Äpfel", "apple"), (wilma, "кошка", "cat"), (pim, "trees", "tree"), (pim, "Baum", "tree"))
    for style, subject, name in asked:
        for seed in range(0, 9, 2):
            piece = make(style, Order(valid({**BRIEF, "subject": subject}), meaning(subject), seed))
            heroes = {art.motif.words for art in piece.plan.arts if art.role == "hero"}
            assert all(name in words for words in heroes), (subject, heroes)


def test_a_piece_made_anew_comes_from_the_words_that_held_when_it_was_made(wilma: Style) -> None:
    motif = next(motif for motif in wilma.motifs if motif.whole and 0.3 < motif.shape < 3)
    told = {**BRIEF, "subject": "submarine"}
    brief, tags = valid(told), {f"motif:{motif.name}": ("submarine",)}
    parent = make(wilma, Order(brief, meaning("submarine"), 5, tags=tags))
    ancestor = Ancestor(way="words", brief=told, seed=5, tags=tags)
    child = vary(wilma, Order(brief, meaning("submarine"), 9), ancestor)
    assert [art.motif.name for art in child.plan.arts] == [art.motif.name for art in parent.plan.arts]
    assert motif.name in {art.motif.name for art in child.plan.arts}


def test_parts_keep_their_names_when_works_are_added(tmp_path: Path) -> None:
    works = [seen(work) for work in taken_in(files_of(WILMA)[:9], tmp_path)]
    few, more = learn(works[:7]), learn(works)
    assert {motif.name for motif in few.motifs} < {motif.name for motif in more.motifs}
    assert len({motif.name for motif in more.motifs}) == len(more.motifs)
    saved = tmp_path / "adapter"
    save(more, saved)
    assert [motif.name for motif in load(saved).motifs] == [motif.name for motif in more.motifs]


def test_an_adapter_of_the_first_format_is_still_read(wilma: Style, tmp_path: Path) -> None:
    save(wilma, tmp_path)
    told = json.loads((tmp_path / "style.json").read_text("utf-8"))
    told["format"] = "atelier-design-1"
    for motif in told["motifs"]:
        del motif["name"]
    (tmp_path / "style.json").write_text(json.dumps(told), "utf-8")
    early = load(tmp_path)
    assert [motif.name for motif in early.motifs] == [str(n) for n in range(1, len(wilma.motifs) + 1)]
    less = without(early, Vetoed.named(["motif:3"]))
    assert len(less.motifs) == len(early.motifs) - 1
    told["format"] = "atelier-design-0"
    (tmp_path / "style.json").write_text(json.dumps(told), "utf-8")
    with pytest.raises(AdapterInvalid):
        load(tmp_path)


SHOWN = {"line": (PIM,), "form": (WILMA, PIM), "composition": (WILMA, PIM), "type": (PIM,)}
"""Whose habits are not what anybody's are: Wilma draws no lines, and her letters are as usual."""


@pytest.mark.parametrize("habit", HABITS)
def test_each_habit_turned_off_makes_pieces_less_like_the_works(pim: Style, wilma: Style, habit: str) -> None:
    hands = {PIM: pim, WILMA: wilma}
    for name in SHOWN[habit]:
        style = hands[name]
        less = without(style, Vetoed(habits=frozenset({habit})))
        with_, off = (away(_pieces(each), style.traits)[habit] for each in (style, less))
        assert with_ < 0.95 * off, (name, with_, off)


def test_palette_and_motifs_turned_off_take_the_hand_away(pim: Style) -> None:
    truth, own = (composed(pim, seeds).seen for seeds in (range(50, 54), range(4)))
    motifless = without(pim, Vetoed(motifs=frozenset(each.name for each in pim.motifs)))
    for less in (replace(pim, palette=nobody().palette), motifless):
        assert distances(own, truth, 4).sum() < 0.8 * distances(composed(less, range(4)).seen, truth, 4).sum()


def _pieces(style: Style) -> list[Made]:
    return [make(style, Order(brief, None, seed)) for brief in BRIEFS for seed in range(4)]


@pytest.mark.slow
def test_a_hundred_briefs_over_four_real_designers_are_set_without_a_fault(tmp_path: Path) -> None:
    import openclipart
    from design_works import learned_from

    try:
        authors = openclipart.by_author()
    except openclipart.NotThere as error:
        pytest.skip(str(error))
    chosen = ("Architetto Francesco Rollandin", "Gerald G.", "Linda Kim", "Nicu Buculei")
    styles = [learned_from(authors[name][:36], tmp_path / str(n)) for n, name in enumerate(chosen)]
    found = {}
    for number, fields in enumerate(random_briefs(100, seed=11)):
        brief = valid(fields)
        piece = make(styles[number % 4], Order(brief, meaning(brief.subject), number))
        if wrong := faults(piece):
            found[chosen[number % 4], fields["kind"], fields["headline"]] = wrong
    assert found == {}
