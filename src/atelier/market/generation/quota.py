"""Free samples a day: one row a viewer, and one a viewer and model, each counted by one conditional upsert.

The upsert takes the row's lock, so however many requests come at once, a count never exceeds its limit, and a request
that is refused or rolled back leaves no trace. Days are UTC days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.timesince import timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from atelier.market.accounts.models import User
from atelier.market.core.errors import TooMany
from atelier.market.studio.models import CreationModel

from .models import Generation, SampleCount

TAKE = """
INSERT INTO generation_samplecount AS counted (viewer_id, creation_model_id, day, used)
SELECT %(viewer)s, %(model)s::bigint, %(day)s::date, %(wanted)s WHERE %(wanted)s <= %(limit)s
ON CONFLICT (viewer_id, creation_model_id, day) DO UPDATE SET used = counted.used + EXCLUDED.used
WHERE counted.used + EXCLUDED.used <= %(limit)s
RETURNING used
"""


@dataclass(frozen=True)
class Left:
    """How many free samples a viewer has left today of a model, of how many, and when there are new ones."""

    here: int
    of: int
    again_at: datetime


def left(viewer: User, creation_model: CreationModel) -> Left:
    """What is left today, by the narrower of the two limits."""
    day = timezone.now().astimezone(UTC).date()
    counted = SampleCount.objects.filter(
        Q(creation_model=creation_model) | Q(creation_model=None), viewer=viewer, day=day
    )
    used: dict[int | None, int] = {row.creation_model_id: row.used for row in counted}
    overall = settings.SAMPLES_A_DAY_PER_VIEWER - used.get(None, 0)
    here = creation_model.samples_a_day - used.get(creation_model.pk, 0)
    return Left(
        here=max(0, min(here, overall)),
        of=min(creation_model.samples_a_day, settings.SAMPLES_A_DAY_PER_VIEWER),
        again_at=_midnight_after(timezone.now()),
    )


def take(generation: Generation) -> None:
    """Count a generation's samples against both limits. Errors: TooMany; the caller's transaction is then undone."""
    take_on(_day_of(generation), generation.viewer, generation.creation_model, len(generation.seeds))


def take_on(day: date, viewer: User, creation_model: CreationModel, wanted: int) -> None:
    """Count samples on a day against both limits. Errors: TooMany; the caller's transaction is then undone."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Samples are counted in the transaction of what they are for.")
    # Always the overall row first: two requests of one viewer never wait for each other in a circle.
    counts = ((None, settings.SAMPLES_A_DAY_PER_VIEWER), (creation_model.pk, creation_model.samples_a_day))
    # A savepoint: what is said to be left may not include what is refused here.
    with transaction.atomic():
        fits = all(_count(viewer.pk, model_id, day, wanted, limit) for model_id, limit in counts)
        if not fits:
            transaction.set_rollback(True)
    if not fits:
        raise _too_many(viewer, creation_model)


def _count(viewer_id: int, model_id: int | None, day: date, wanted: int, limit: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"viewer": viewer_id, "model": model_id, "day": day, "wanted": wanted, "limit": limit})
        return cursor.fetchone() is not None


def give_back(generation: Generation) -> None:
    """Return a generation's samples to the day they were counted on. Call once, with the state that ends it."""
    if generation.is_playground:
        return
    give_back_on(_day_of(generation), generation.viewer_id, generation.creation_model_id, len(generation.seeds))


def give_back_on(day: date, viewer_id: int, creation_model_id: int, samples: int) -> None:
    """Return samples that `take_on` counted on a day. Call once for each count."""
    for model_id in (None, creation_model_id):
        SampleCount.objects.filter(viewer_id=viewer_id, creation_model_id=model_id, day=day).update(
            used=F("used") - samples
        )


def _day_of(generation: Generation) -> date:
    return generation.created_at.astimezone(UTC).date()


def _too_many(viewer: User, creation_model: CreationModel) -> TooMany:
    there_is = left(viewer, creation_model)
    when = _("There is room again at %(clock)s UTC, in %(wait)s.") % {
        "clock": there_is.again_at.strftime("%H:%M"),
        "wait": timeuntil(there_is.again_at),
    }
    if not there_is.here:
        return TooMany(_("Your free samples of today are used up."), field="samples", remedy=when)
    return TooMany(
        ngettext(
            "Only %(count)d free sample is left for you today.",
            "Only %(count)d free samples are left for you today.",
            there_is.here,
        )
        % {"count": there_is.here},
        field="samples",
        remedy=_("Ask for fewer. %(when)s") % {"when": when},
    )


def _midnight_after(moment: datetime) -> datetime:
    tomorrow = moment.astimezone(UTC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, tzinfo=UTC)
