"""The house skill's pairs are what they say: valid briefs, and copy that follows them."""

from __future__ import annotations

import re
from collections import Counter

from atelier.workshop.engines.text.house import held_out, pairs
from atelier.workshop.engines.text.overlap import Collection
from atelier.workshop.engines.text.prompts import FORMATS, validate_brief

ALL = (*pairs(), *held_out())
LINES = ("tagline", "headline", "call to action")


def test_there_are_as_many_as_promised_and_no_id_is_used_twice() -> None:
    assert len(pairs()) >= 800
    assert len(held_out()) == 100
    assert len({pair.id for pair in ALL}) == len(ALL)
    trades = {pair.trade for pair in pairs()}
    assert len(trades) == 40
    assert not trades & {pair.trade for pair in held_out()}


def test_every_trade_has_every_format_in_both_languages() -> None:
    seen = Counter((p.trade, validate_brief(p.brief)["format"], validate_brief(p.brief)["language"]) for p in pairs())
    assert len(seen) == 40 * 10 * 2
    others = Counter(validate_brief(pair.brief)["format"] for pair in held_out())
    assert set(others.values()) == {10}


def test_copy_keeps_to_the_length_and_names_its_subject() -> None:
    missed = []
    for pair in pairs():
        brief = validate_brief(pair.brief)
        low, high = FORMATS[brief["format"]].words(brief["length"])
        names = re.findall(r"\w{4,}", brief["subject"].casefold())
        named = any(name[:5] in pair.copy.casefold() for name in names) or not names or brief["format"] in LINES
        if not (low <= len(pair.copy.split()) <= high and pair.copy == pair.copy.strip() and named):
            missed.append(pair.id)
    assert not missed


def test_no_copy_repeats_another() -> None:
    texts = [pair.copy for pair in pairs() if len(pair.copy.split()) > 12]
    for place in range(0, len(texts), 8):
        others = Collection([text for k, text in enumerate(texts) if not place <= k < place + 8])
        for text in texts[place : place + 8]:
            # The longest that two have in common is how French letters end.
            assert others.overlap(text).longest_run_words < 15, text
