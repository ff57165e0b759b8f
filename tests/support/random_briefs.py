"""Briefs by chance: short and long words, several scripts, everything said or nearly nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

HEADLINES = (
    "Two scoops for one on Sunday", "Grand opening", "Nachbarschaftsfest der Schrebergartenkolonie", "Jazz",
    "Night of the open workshops and studios", "Ada Brandt", "50 % off", "Straßenbahnmuseum", "A", "ΑΘΗΝΑ",
    "Workshop: ceramics for beginners", "Réveillon à l’atelier", "Winterschlussverkauf", "שוק האביב בכיכר",
    "Summer 2026", "春の市 7月5日",     "Café Ölsardine", "مهرجان الربيع", "Run! Swim! Read!", "Праздник весны",
    "The quick brown fox jumps over the lazy dog and goes home",
)  # fmt: skip
TEXTS = (
    "", "Every flavour, all afternoon", "ab 18 Uhr", "Long tables",
    "Free entry, drinks and a very small orchestra that plays until the last guest has found both shoes",
    "Mit Kaffee und Kuchen für alle, die früh kommen, und mit Suppe für die anderen",
)  # fmt: skip
DATES = ("", "5 to 7 July", "Sunday, 10 to 4", "Samstag, 31. Dezember 2026, 20 Uhr")
PLACES = ("", "Fishermen’s Quay", "Old orchard, 12 Church Lane, Upper Whitfield", "Marktplatz")
ACTIONS = ("", "Book a place", "Come by", "Jetzt anmelden")
SUBJECTS = ("ice cream", "boat", "tree", "music", "city", "fish", "quantum physics", "cat", "food", "garden")
MOODS = ("as the creator", "playful", "bold", "elegant", "calm")
COLOURS = ("", "", "#0b3d91, gold", "tomato")
KINDS = ("logo", "post", "poster", "banner", "card", "post", "poster", "pattern", "icons")


def random_briefs(count: int, seed: int, kinds: Sequence[str] = KINDS) -> Iterator[dict[str, str]]:
    """So many briefs; the same for the same seed."""
    draw = random.Random(seed)
    for _ in range(count):
        fields = {
            "kind": draw.choice(kinds), "headline": draw.choice(HEADLINES), "text": draw.choice(TEXTS),
            "date": draw.choice(DATES), "place": draw.choice(PLACES), "action": draw.choice(ACTIONS),
            "subject": draw.choice(SUBJECTS), "mood": draw.choice(MOODS), "colours": draw.choice(COLOURS),
        }  # fmt: skip
        yield {name: value for name, value in fields.items() if value}
