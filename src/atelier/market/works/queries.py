"""Reads about works, limited to what a person may see."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from atelier.market.accounts.models import Creator, User
from atelier.market.accounts.queries import creator_of
from atelier.market.core.errors import Denied, Missing

from .crafts import capabilities, extent_unit
from .models import Consent, Resemblance, Upload, Work

IN_USE = (Work.State.READY, Work.State.HELD)


def works_of(creator: Creator) -> QuerySet[Work]:
    """A creator's works, newest first, each with `permitted` (consent in force) and `nearly` (near copy of another)."""
    return _annotated(Work.objects.filter(creator=creator)).order_by("-pk")


def _annotated(works: QuerySet[Work]) -> QuerySet[Work]:
    permitted = Consent.objects.filter(work=OuterRef("pk"), revoked_at=None)
    nearly = in_the_way(Resemblance.objects.filter(work=OuterRef("pk"), same_creator=True))
    return works.annotate(permitted=Exists(permitted), nearly=Exists(nearly))


def in_the_way(resemblances: QuerySet[Resemblance]) -> QuerySet[Resemblance]:
    """Those that keep a work from being trained on; a near copy of one's own does so only while that one is in use."""
    return resemblances.filter(Q(same_creator=False) | Q(other__state__in=IN_USE), state=Resemblance.State.OPEN)


def trainable(works: QuerySet[Work]) -> QuerySet[Work]:
    """Those works that may be trained on: ready, permitted, and no near copy of another of the same creator."""
    return _annotated(works).filter(Q(permitted=True, nearly=False), state=Work.State.READY)


def trainable_works(creator: Creator, engine: str) -> QuerySet[Work]:
    """A creator's works that an engine may learn from now, oldest first."""
    return trainable(Work.objects.filter(creator=creator, engine=engine)).order_by("pk")


def filtered(
    works: QuerySet[Work], *, state: str = "", tag: str = "", language: str = "", consent: str = "", words: str = ""
) -> QuerySet[Work]:
    """Works that match all filters given; without a state, removed ones stay out of sight. Takes `works_of` rows."""
    works = works.filter(state=state) if state else works.exclude(state=Work.State.REMOVED)
    if tag:
        works = works.filter(tags__contains=[tag])
    if language:
        works = works.filter(language=language)
    if consent in {"yes", "no"}:
        works = works.filter(Q(permitted=consent == "yes"))
    if words:
        works = works.filter(Q(title__icontains=words) | Q(excerpt__icontains=words))
    return works


def work_for(person: User, work_id: int) -> Work:
    """A work with all that belongs to it, for its creator or an operator. Errors: Missing for anyone else."""
    works = _annotated(Work.objects.select_related("creator__user", "upload", "blob", "preview"))
    if not person.is_operator:
        works = works.filter(creator__user_id=person.pk)
    found = works.filter(pk=work_id).first()
    if found is None:
        raise Missing(_("There is no such work among yours."), remedy=_("Go back to your works."))
    return found


def batch_for(person: User, batch: uuid.UUID) -> list[Upload]:
    """The uploads that a person sent together, in order. Errors: Missing."""
    uploads = Upload.objects.filter(creator=creator_of(person), batch=batch)
    found: list[Upload] = list(uploads.annotate(made=Count("works")).order_by("position"))
    if not found:
        raise Missing(_("There is no such upload among yours."), remedy=_("Go back to your works."))
    return found


def open_resemblances(person: User) -> QuerySet[Resemblance]:
    """What waits for an operator's verdict, oldest first. Errors: Denied for anyone else."""
    return resemblances(person).filter(state=Resemblance.State.OPEN).exclude(work__state=Work.State.REMOVED)


def resemblances(person: User) -> QuerySet[Resemblance]:
    """All resemblances across creators, oldest first. Errors: Denied for anyone but operators."""
    if not person.is_operator:
        raise Denied(_("Only operators see this page."), remedy=_("Sign in as an operator."))
    return (
        Resemblance.objects.filter(same_creator=False)
        .select_related("work__creator__user", "work__blob", "other__creator__user", "other__blob", "decided_by")
        .order_by("pk")
    )


@dataclass(frozen=True)
class Enough:
    """How far a creator's usable works of an engine go. `extent` is measured in `unit`."""

    engine: str
    usable: int
    least: int
    advised: int
    extent: int
    unit: str

    @property
    def percent(self) -> int:
        """Progress toward the advised number, 0 to 100."""
        return min(100, round(100 * self.usable / max(1, self.advised)))

    @property
    def advice(self) -> str:
        """What to do next, in a sentence."""
        if self.usable < self.least:
            missing = self.least - self.usable
            return ngettext(
                "%(n)s more usable work and you can train.", "%(n)s more usable works and you can train.", missing
            ) % {"n": missing}
        if self.usable < self.advised:
            missing = self.advised - self.usable
            return ngettext(
                "You can train now; with %(n)s more work the result is usually clearly better.",
                "You can train now; with %(n)s more works the result is usually clearly better.",
                missing,
            ) % {"n": missing}
        return _("You have enough. More works by the same hand still help a little.")


def enough(creator: Creator, engine: str) -> Enough:
    """How a creator's usable works compare with what the engine needs and advises. Errors: Invalid."""
    limits = capabilities(engine).limits
    sizes = list(trainable_works(creator, engine).values_list("extent", flat=True))
    return Enough(
        engine, len(sizes), limits.works_min, limits.works_advised, sum(sizes), extent_unit(engine, sum(sizes))
    )


def facets(creator: Creator) -> dict[str, Any]:
    """What the list can be filtered by: states with counts, tags by frequency, languages."""
    works = Work.objects.filter(creator=creator)
    states = dict(works.values_list("state").annotate(n=Count("pk")).order_by("state"))
    rows = works.exclude(state=Work.State.REMOVED).values_list("tags", "language")
    tags: dict[str, int] = {}
    for row_tags, _language in rows:
        for tag in row_tags:
            tags[tag] = tags.get(tag, 0) + 1
    return {
        "states": states,
        "tags": sorted(tags, key=lambda tag: (-tags[tag], tag))[:40],
        "languages": sorted({language for _tags, language in rows if language}),
        "permitted": Consent.objects.filter(work__creator=creator, work__state__in=IN_USE, revoked_at=None).count(),
    }
