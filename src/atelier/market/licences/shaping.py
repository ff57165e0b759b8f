"""Which works shaped which sales, as their creator sees it; nobody else does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.utils.translation import gettext as _

from atelier.market.works.models import Work

from .models import Licence, SaleAttribution, SaleShare

MILLION = 1_000_000


@dataclass(frozen=True)
class Part:
    """What part (0 to 1) of a sold piece a work shaped, with the bounds of its 95 % interval."""

    work: Work
    value: float
    low: float
    high: float

    @property
    def label(self) -> str:
        """The work's title; of one that was removed, with a word that says so."""
        return labelled(self.work)


@dataclass(frozen=True)
class Shaping:
    """What is known of a sale: `state` is pending, told or untold; `sentence` says it in plain words."""

    state: str
    sentence: str
    method: str = ""
    told: float = 0.0
    parts: tuple[Part, ...] = ()

    @property
    def picture(self) -> dict[str, Any]:
        """The parts to be drawn on one axis."""
        return drawn(_("Share of the piece"), [(p.label, p.value, p.low, p.high) for p in self.parts], "share")


def shaping_for(person: Any, licence: Licence) -> Shaping | None:
    """Which works shaped a sale, for the creator who sold it; None for everybody else, the buyer too."""
    if licence.creator.user_id != person.pk:
        return None
    known = SaleAttribution.objects.filter(licence=licence).first()
    if known is None:
        return Shaping("pending", _("It is being worked out which of your works shaped this piece."))
    if known.untold:
        return Shaping("untold", _reasons()[known.untold])
    parts = tuple(
        Part(share.work, share.parts / MILLION, share.low / MILLION, share.high / MILLION)
        for share in known.shares.select_related("work")
    )
    return Shaping("told", _in_words(known, len(parts)), known.method, known.told / MILLION, parts)


def _in_words(known: SaleAttribution, works: int) -> str:
    if not works:
        return _(
            "No single work stands out: the piece owes itself to what your works have in common and to what the base "
            "model knew before."
        )
    return _(
        "These works stand out; they account for about %(told)d\u00a0%% of the piece. The rest is what your works have "
        "in common, what the base model knew before, and what cannot be told."
    ) % {"told": round(100 * known.told / MILLION)}


def _reasons() -> dict[str, str]:
    kinds = SaleAttribution.Untold
    return {
        kinds.NOTHING_KEPT: _(
            "It cannot be told which works shaped this piece: nothing was kept to tell it by when this version was "
            "trained. Versions trained from now on can tell."
        ),
        kinds.ERASED: _("It can no longer be told which works shaped this piece: its version was erased."),
        kinds.FAILED: _("It could not be told which works shaped this piece. Nothing else about the sale is changed."),
    }


def works_behind_sales(person: Any) -> QuerySet[SaleShare, Any]:
    """For each of a creator's works that shaped a sale: `sales`, `total`, `below`, `above`; the greatest first.

    `total` is the sum of its shares in parts per million; `below` and `above` are the squares, summed, of how far each
    interval reaches.
    """
    mine = SaleShare.objects.filter(attribution__licence__creator__user_id=person.pk)
    return (
        mine.values("work_id")
        .annotate(
            sales=Count("pk"),
            total=Sum("parts"),
            below=Sum((F("parts") - F("low")) * 1.0 * (F("parts") - F("low"))),
            above=Sum((F("high") - F("parts")) * 1.0 * (F("high") - F("parts"))),
        )
        .order_by("-total", "work_id")
    )


@dataclass(frozen=True)
class Behind:
    """A work and the sales it shaped; `value` counts whole sales, with an interval (shares taken as independent)."""

    work: Work
    sales: int
    value: float
    low: float
    high: float

    @property
    def label(self) -> str:
        return labelled(self.work)


def behind(rows: Sequence[Mapping[str, Any]]) -> list[Behind]:
    """Rows of `works_behind_sales` with their works."""
    works = Work.objects.in_bulk([row["work_id"] for row in rows])
    return [
        Behind(
            work=works[row["work_id"]],
            sales=row["sales"],
            value=row["total"] / MILLION,
            low=max(0.0, (row["total"] - row["below"] ** 0.5) / MILLION),
            high=(row["total"] + row["above"] ** 0.5) / MILLION,
        )
        for row in rows
    ]


def labelled(work: Work) -> str:
    """A work's title; of one that was removed, with a word that says so."""
    return _("%(title)s (removed)") % {"title": work.title} if work.state == Work.State.REMOVED else work.title


def drawn(title: str, rows: list[tuple[str, float, float, float]], unit: str) -> dict[str, Any]:
    """Bars with intervals as the picture of core/charts takes them."""
    bars = [{"label": name, "value": value, "low": low, "high": high, "ours": True} for name, value, low, high in rows]
    most = max((row[3] for row in rows), default=1.0)
    return {"title": title, "bars": bars, "least": 0.0, "most": most, "unit": unit}
