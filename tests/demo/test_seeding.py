"""The demo market is filled once, however often the site starts."""

from __future__ import annotations

import pytest

from atelier.config.demo import seed as demo
from atelier.market.accounts.models import Creator, User
from atelier.market.works.models import Upload

pytestmark = pytest.mark.django_db


def uploads() -> dict[str, list[str]]:
    return {
        creator.handle: list(creator.uploads.order_by("position").values_list("filename", flat=True))
        for creator in Creator.objects.all()
    }


def test_designers_send_a_file_a_drawing_and_writers_one_file_and_all_of_it_once() -> None:
    demo.seed()
    first = uploads()
    assert {handle: len(files) for handle, files in first.items()} == {
        "wilma-kestrelby": 30, "pim-ostervale": 30, "orrin-slate": 1, "juno-larkwell": 1,
    }  # fmt: skip
    assert first["wilma-kestrelby"][0] == "apple.svg"
    assert not Upload.objects.exclude(state=Upload.State.RECEIVED).exists()
    demo.seed()
    assert uploads() == first
    assert User.objects.filter(is_demo=True).count() == 6


def test_a_site_with_the_works_of_an_earlier_edition_starts_and_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    demo.seed()
    before = uploads()
    drawn = demo._drawn
    monkeypatch.setattr(demo, "_drawn", lambda folder: drawn(folder)[:-1])
    demo.seed()
    assert uploads() == before
