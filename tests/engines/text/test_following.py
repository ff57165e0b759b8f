"""What follows its brief is told from what does not."""

from __future__ import annotations

import pytest

from atelier.workshop.engines.text.following import facts_kept, following, keeps_format, names_subject, repeats
from atelier.workshop.engines.text.house import pairs
from atelier.workshop.engines.text.prompts import validate_brief


def test_copy_that_was_written_to_a_brief_follows_it_and_copy_for_another_does_not() -> None:
    rows = [(validate_brief(pair.brief), pair.copy) for pair in pairs()]
    own = [following(copy, brief).score for brief, copy in rows]
    other = [following(rows[(n + 371) % len(rows)][1], brief).score for n, (brief, _) in enumerate(rows)]
    assert sum(own) / len(own) > 0.93
    assert sum(other) / len(other) < 0.72
    assert sum(mine > theirs for mine, theirs in zip(own, other, strict=True)) > 0.93 * len(rows)


@pytest.mark.parametrize(
    ("text", "form", "kept"),
    [
        ("Bread at seven", "tagline", True),
        ("Bread at seven\nand at eight", "tagline", False),
        ("Subject: Bread\n\nHello,\n\nCome at seven.\n\nAnna", "e-mail", True),
        ("Objet : Du pain\n\nBonjour,\n\nVenez à sept heures.", "e-mail", True),
        ("Come at seven for bread.", "e-mail", False),
        ("Dear neighbours,\n\nCome at seven.\n\nAnna", "letter", True),
        ("Subject: Bread\n\nDear all,", "letter", False),
        ("Dear neighbours, come at seven.", "product description", False),
        ("A mug of stoneware.", "product description", True),
        ("Why bread\n\nBecause it is there.", "blog post", True),
        ("", "text", False),
    ],
)
def test_formats_are_told_by_their_shape(text: str, form: str, kept: bool) -> None:
    assert keeps_format(text, form) is kept


def test_a_subject_is_named_in_other_forms_too() -> None:
    assert names_subject("Our mugs were thrown by hand.", "A hand-thrown mug")
    assert not names_subject("Our bread is good.", "A hand-thrown mug")


def test_repetition_is_noticed_but_a_refrain_is_not() -> None:
    assert repeats("We bake bread every day. " * 2)
    assert repeats("one two three four and one two three four or one two three four")
    assert not repeats("We bake bread every day. We sell it every morning.")


def test_facts_are_counted() -> None:
    assert facts_kept("It costs 18 euros in Porto.", "costs 18 euros, made in Porto, holds 300 ml") == pytest.approx(
        2 / 3
    )
    assert facts_kept("Whatever.", "soft and warm") == 1
