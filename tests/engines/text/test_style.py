"""The judge of style: it hears manner, not matter, and says how well it hears."""

from __future__ import annotations

import json
import random
import re
from itertools import count
from pathlib import Path

import numpy as np
import pytest

import atelier
from atelier.workshop.engines.text.house import pairs
from atelier.workshop.engines.text.style import StyleJudge
from atelier.workshop.engines.text.style.background import FILE, background
from atelier.workshop.engines.text.style.features import measure, plain_names, read
from atelier.workshop.engines.text.style.judge import area
from atelier.workshop.engines.text.style.logistic import fit, probability
from atelier.workshop.engines.text.style.words import TONGUES, tongue
from atelier.workshop.engines.text.verdicts import SEPARATION_LEAST

DEMO = Path(atelier.__file__).parent / "config" / "demo" / "works"
FABLE = "The fox looked at the grapes; they hung high. “Sour,” he said, and went off – slowly, for he was hungry."
SUBJECTS = {
    "sea": ["harbour", "ferry", "anchor", "lantern", "sailor", "canvas", "current", "island", "pebble", "seagull"],
    "bread": ["baker", "oven", "sourdough", "crust", "flour", "kitchen", "butter", "basket", "counter", "morning"],
    "tools": ["hammer", "workshop", "chisel", "bench", "timber", "handle", "mallet", "drawer", "carpenter", "blade"],
}


def works(name: str) -> list[str]:
    return [work["text"] for work in json.loads((DEMO / f"{name}.json").read_text("utf-8"))["works"]]


def terse(subject: str, seed: int) -> str:
    """A toy hand of short plain sentences."""
    drawn = random.Random(seed)
    words = SUBJECTS[subject]
    shapes = ("The {} is old.", "It has a {} and a {}.", "No {} here.", "You take the {}.", "That is all the {} does.")
    return " ".join(drawn.choice(shapes).format(*drawn.sample(words, 2)) for _ in range(14))


def winding(subject: str, seed: int) -> str:
    """A toy hand of long sentences that never quite end, about the same."""
    drawn = random.Random(seed)
    words = SUBJECTS[subject]
    shapes = (
        "When we came upon the {}, which none of us had ever much liked, there was still, behind it, some {} or other; "
        "and so, because it was late, we would have gone with them, had the {} not been in our way!",
        "But whoever has once seen a {}, as you and I have, will never again, I think, believe what is said of it, "
        "nor of the {}, nor of that {} which is so often beside it, though it may be true.",
    )
    return " ".join(drawn.choice(shapes).format(*drawn.sample(words, 3)) for _ in range(3))


def disguised(text: str, language: str = "en") -> str:
    """The same text with every word of an open class exchanged for another of the same shape."""
    known = tongue(language)
    numbers = count()
    given: dict[str, str] = {}

    def exchange(found: re.Match[str]) -> str:
        word = found[0]
        if "'" in word or word.casefold() in known.function or len(word) < 6:
            return word
        body, tail = word[:-4], word[-4:]
        folded = body.casefold()
        if folded not in given:
            drawn = random.Random(next(numbers))
            swap = {c: drawn.choice("bcdfg") for c in "bcdfghjklmnpqrstvwxz"} | {
                c: drawn.choice("aeiou") for c in "aeiou"
            }
            given[folded] = "".join(swap.get(c, c) for c in folded)
        fresh = given[folded]
        return (fresh.capitalize() if word[0].isupper() else fresh) + tail

    return re.sub(r"[^\W\d_]+(?:'[^\W\d_]+)*", exchange, text)


def test_a_creators_unseen_works_are_told_from_anothers() -> None:
    juno, orrin = works("juno-larkwell"), works("orrin-slate")
    judge = StyleJudge.learn(juno[:24], orrin[:20], language="en", seed=0)
    assert judge.probabilities(juno[24:]).mean() > 0.75
    assert judge.probabilities(orrin[20:]).mean() < 0.25
    assert judge.separation.low > SEPARATION_LEAST
    assert judge.from_base is not None
    assert judge.separation.value == pytest.approx((judge.from_others.value + judge.from_base.value) / 2)


def test_the_manner_is_told_whatever_the_subject() -> None:
    own = [terse(subject, seed) for subject in ("sea", "bread") for seed in range(6)]
    base = [winding(subject, seed) for subject in ("sea", "tools") for seed in range(6)]
    judge = StyleJudge.learn(own, base, language="en", seed=0)
    other_subject = judge.probabilities([terse("tools", seed) for seed in range(50, 60)])
    same_subject = judge.probabilities([winding("bread", seed) for seed in range(50, 60)])
    assert other_subject.min() > 0.5 > same_subject.max()


def test_words_of_open_classes_do_not_decide() -> None:
    juno = works("juno-larkwell")
    judge = StyleJudge.learn(juno[:20], [], language="en", seed=0)
    plain, hidden = juno[20:], [disguised(text) for text in juno[20:]]
    changed = np.mean(
        [a != b for one, two in zip(plain, hidden, strict=True) for a, b in zip(one.split(), two.split(), strict=True)]
    )
    assert changed > 0.1
    assert np.abs(judge.probabilities(plain) - judge.probabilities(hidden)).max() < 0.05


def test_the_same_texts_and_seed_give_the_same_judge() -> None:
    own, base = works("juno-larkwell")[:10], works("orrin-slate")[:10]
    first, second = (StyleJudge.learn(own, base, language="en", seed=3) for _ in range(2))
    assert np.array_equal(first.probabilities(base), second.probabilities(base))
    assert first.separation == second.separation


def test_a_judge_that_cannot_tell_a_creator_from_the_base_says_so() -> None:
    copy = [pair.copy for pair in pairs() if pair.brief["language"] == "en" and 60 <= len(pair.copy.split()) <= 200]
    random.Random(0).shuffle(copy)
    judge = StyleJudge.learn(copy[:16], copy[16:32], language="en", seed=0)
    assert judge.from_base is not None
    assert judge.from_base.low < 0.5 < judge.from_base.high
    assert judge.separation.low < SEPARATION_LEAST
    assert 0.3 < judge.probabilities(copy[32:48]).mean() < 0.8  # The base's and the creator's alike: no certainty.


def test_eight_works_will_do_and_one_will_not() -> None:
    own = works("orrin-slate")
    judge = StyleJudge.learn(own[:8], [], language="en-GB", seed=0)
    assert judge.from_base is None
    assert judge.probabilities(own[8:]).mean() > 0.5 > judge.probabilities(works("juno-larkwell")).mean()
    with pytest.raises(ValueError, match="fewer than two works"):
        StyleJudge.learn(own[:1], [], language="en", seed=0)


def test_a_language_without_lists_is_judged_by_its_shapes() -> None:
    short = [
        f"Das Brot ist da. Es ist gut. Nimm {n} davon. Iss es. Komm bald wieder. Wir backen gern." for n in range(8)
    ]
    long = [
        f"Wenn wir, wie schon vor {n} Jahren, am Abend durch die stillen Gassen gingen, so war es immer, als ob "
        "jemand uns, ohne dass wir es merkten, leise folgte; und keiner von uns hat je danach gefragt."
        for n in range(8)
    ]
    judge = StyleJudge.learn(short[:6], long[:6], language="de", seed=0)
    assert judge.probabilities(short[6:]).min() > 0.5 > judge.probabilities(long[6:]).max()
    assert not [name for name in plain_names(tongue("de")) if name.startswith(("word d", "ending"))]


def test_french_elisions_count_as_function_words() -> None:
    names = plain_names(tongue("fr"))
    row = measure(["L’homme qu’il a vu n’est pas d’ici."], "fr", [])[0]
    assert all(row[names.index(f"word {word}")] > 0 for word in ("l'", "qu'", "n'", "d'", "il", "pas", "ici"))


def test_the_typesetters_marks_make_no_difference() -> None:
    typed = FABLE.replace("“", '"').replace("”", '"').replace("–", "--")
    pair = ["_ —", '" _']
    assert np.array_equal(measure([FABLE], "en", pair), measure([typed], "en", pair))


def test_a_text_is_taken_apart_as_it_is_written() -> None:
    reading = read("Don't go. It is 12.50 now!\n\nWhy?", "en")
    assert reading.sentences == (("Don't", "go", "."), ("It", "is", "12.50", "now", "!"), ("Why", "?"))
    assert reading.paragraphs == (2, 1)


def test_an_empty_text_has_features_too() -> None:
    row = measure([""], "en", ["^ the"])
    assert row.shape == (1, len(plain_names(tongue("en"))) + 1)
    assert np.isfinite(row).all()


@pytest.mark.parametrize("language", list(TONGUES))
def test_the_background_is_many_writers_numbers_and_no_texts(language: str) -> None:
    known = background(language)
    assert len(set(known.writers.tolist())) >= 8
    assert known.rows.shape == (len(known.writers), len(plain_names(tongue(language))) + len(known.pairs))
    assert np.isfinite(known.rows).all()
    open_words = {part for pair in known.pairs for part in pair.split() if part[0].isalpha()} - TONGUES[
        language
    ].function
    assert not open_words


def test_every_writer_of_the_background_is_named_with_a_licence() -> None:
    rows = json.loads(FILE.with_suffix(".json").read_text("utf-8"))
    assert FILE.stat().st_size < 400_000
    for language in TONGUES:
        named = [row for row in rows if row["language"] == language]
        assert len(named) == len(set(background(language).writers.tolist()))
    assert all(row["licence"] and row["package"] and row["work"] for row in rows)


def test_the_area_counts_ties_half() -> None:
    assert area(np.array([2.0, 1.0]), np.array([1.0, 0.0])) == pytest.approx(3.5 / 4)
    assert area(np.zeros(3), np.zeros(5)) == 0.5


def test_shrinking_keeps_weights_finite_where_the_sides_part_cleanly() -> None:
    rows, ours = np.array([[1.0], [2.0], [-1.0], [-2.0]]), np.array([1.0, 1.0, 0.0, 0.0])
    loose, tight = (fit(rows, ours, np.ones(4), penalty) for penalty in (0.1, 10.0))
    assert loose[0] > tight[0] > 0
    assert loose[1] == pytest.approx(0, abs=1e-6)
    assert probability(np.array([0.0, 1e9, -1e9])) == pytest.approx([0.5, 1, 0], abs=1e-9)
