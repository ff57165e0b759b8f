"""Tests of samples made anew from others, of parts that are not used, and of learning from what people pick."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from atelier.workshop.contract.engine import Engine, PreferringEngine
from atelier.workshop.contract.errors import WorkshopError
from atelier.workshop.contract.specs import Ancestor, Capabilities, Pick, Variation

from .means import Made, Means, Trained, assert_survives_json

PICKS = 3000
PICK_SECONDS = 2.0


class Varying(Means):
    """The same request makes the same, whatever it is made from. Skipped for engines without these members."""

    @pytest.fixture(scope="class")
    @classmethod
    def variations(cls, capabilities: Capabilities) -> tuple[Variation, ...]:
        if not capabilities.variations:
            pytest.skip("this engine makes nothing anew from a sample")
        assert len({way.name for way in capabilities.variations}) == len(capabilities.variations)
        assert all(way.title and way.description for way in capabilities.variations)
        assert all(re.fullmatch(r"[a-z0-9-]{1,40}", way.name) for way in capabilities.variations)
        assert all(way.edits for way in capabilities.variations if way.live)
        return capabilities.variations

    def test_a_variation_is_another_piece_and_the_same_each_time(
        self, variations: tuple[Variation, ...], make: Callable[..., Made], brief: dict[str, Any]
    ) -> None:
        (parent,) = make(seeds=(1,)).masters()
        for way in variations:
            ancestor = Ancestor(way=way.name, brief=brief, seed=1)
            one, two = (make(seeds=(5, 6), vary=ancestor) for _ in range(2))
            assert one.masters() == two.masters(), way.name
            # Where the brief may be changed, what was not changed may stay as it was.
            assert way.edits or parent not in one.masters(), way.name

    def test_a_variation_of_a_variation_is_the_same_each_time(
        self, variations: tuple[Variation, ...], make: Callable[..., Made], brief: dict[str, Any]
    ) -> None:
        first = Ancestor(way=variations[0].name, brief=brief, seed=1)
        second = Ancestor(way=variations[-1].name, brief=brief, seed=2, vary=first)
        assert_survives_json(second)
        assert make(seeds=(3,), vary=second).masters() == make(seeds=(3,), vary=second).masters()

    def test_an_unknown_way_of_varying_is_refused(
        self, variations: tuple[Variation, ...], make: Callable[..., Made], brief: dict[str, Any]
    ) -> None:
        with pytest.raises(WorkshopError):
            make(vary=Ancestor(way="no-such-way", brief=brief, seed=1))

    def test_a_veto_holds_the_same_each_time_and_unknown_parts_change_nothing(
        self, trained: Trained, make: Callable[..., Made]
    ) -> None:
        parts = trained.result.parts
        if not parts:
            pytest.skip("this engine names no parts")
        free = make(seeds=(1, 2, 3)).masters()
        assert make(seeds=(1, 2, 3), vetoed=("no such part",)).masters() == free
        groups = {part.group: [other for other in parts if other.group == part.group] for part in parts}
        tried = [part for group in groups.values() for part in group[:6]]
        without = [make(seeds=(1, 2, 3), vetoed=(part.name,)).masters() for part in tried]
        assert any(made != free for made in without)
        assert make(seeds=(1, 2, 3), vetoed=(tried[0].name,)).masters() == without[0]

    def test_a_part_is_found_by_the_words_its_creator_gives_it(
        self, trained: Trained, make: Callable[..., Made], brief: dict[str, Any]
    ) -> None:
        parts = [part for part in trained.result.parts if part.tags is not None]
        if not parts:
            pytest.skip("this engine finds no parts by words")
        free = make(seeds=(1, 2, 3)).masters()
        assert make(seeds=(1, 2, 3), tags={"no such part": ("x",)}).masters() == free
        asked = [value for value in brief.values() if isinstance(value, str)]
        tags = {part.name: (value,) for part, value in zip(parts, asked, strict=False)}
        tagged = make(seeds=(1, 2, 3), tags=tags).masters()
        assert tagged != free
        assert make(seeds=(1, 2, 3), tags=tags).masters() == tagged

    @pytest.fixture(scope="class")
    @classmethod
    def preferring(cls, engine: Engine) -> PreferringEngine:
        if not isinstance(engine, PreferringEngine):
            pytest.skip("this engine learns nothing from what people pick")
        return engine

    def test_a_taste_is_learned_from_picks_and_shapes_what_is_made(
        self, preferring: PreferringEngine, make: Callable[..., Made]
    ) -> None:
        figures = [output.features for output in make(seeds=tuple(range(8))).outputs]
        assert all(found and found.keys() == figures[0].keys() for found in figures)
        assert all(math.isfinite(value) for found in figures for value in found.values())
        assert preferring.prefer([]) == {}
        picks = [Pick(chosen=figures[0], others=tuple(figures[1:])), Pick(chosen=figures[1], others=())] * (PICKS // 2)
        started = time.monotonic()
        taste = preferring.prefer(picks)
        assert time.monotonic() - started < PICK_SECONDS
        assert taste == preferring.prefer(picks)
        assert all(math.isfinite(value) for value in taste.values())
        assert make(seeds=(1, 2), taste=taste).masters() == make(seeds=(1, 2), taste=taste).masters()
