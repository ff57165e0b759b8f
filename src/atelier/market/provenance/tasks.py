"""Jobs: looking for marks in pasted texts, and forgetting what was found."""

from __future__ import annotations

import logging
import math
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from atelier.workshop.contract import Busy, MarkingEngine, Trace, WorkshopError, engines
from atelier.workshop.runtime import runtime

from . import actions
from .models import MarkKey, MarkSearch

log = logging.getLogger(__name__)

RETRY = RetryStrategy(wait=2, retry_exceptions=[Busy, OperationalError, InterfaceError])
SURE = 0.001
"""A mark counts as found when a text without any mark would look so less often than this."""
KEYS_AT_ONCE = 500
KEPT_FOR = timedelta(days=1)


# One at a time: who pastes many texts holds up only the next who does.
@app.task(queue="quick", lock="find_marks", retry=RETRY)
def find_marks(*, search_id: str) -> None:
    """Read the text of a search for every creator's mark. Run twice, it tells once."""
    search = MarkSearch.objects.filter(pk=uuid.UUID(search_id), state=MarkSearch.State.WAITING).first()
    if search is None:
        return
    try:
        outcome = _outcome(search)
    except (Busy, OperationalError, InterfaceError):
        raise
    except WorkshopError as error:
        outcome = _failure(error.message, error.remedy)
    except Exception:
        log.exception("the search for marks %s failed", search_id)
        outcome = _failure(
            _("Looking for a mark failed, and it was not the text’s doing."),
            _("Try it again; if it fails again, write to the operator."),
        )
    actions.end_search(search, **outcome)


def _failure(message: str, remedy: str) -> dict[str, Any]:
    return {"state": MarkSearch.State.FAILED, "error": message[:1000], "remedy": remedy[:500]}


def _outcome(search: MarkSearch) -> dict[str, Any]:
    """What all engines that mark texts find, by all keys there are."""
    names = [
        name
        for name, engine in engines().items()
        if isinstance(engine, MarkingEngine) and engine.capabilities().output_kind == "text"
    ]
    if not names:
        return _failure(_("No engine of this market marks texts."), _("Look the file up by its hash."))
    keys = list(MarkKey.objects.order_by("pk").values_list("creator_id", "key"))
    with tempfile.TemporaryDirectory(prefix="atelier-marks-") as folder:
        file = Path(folder) / "text.txt"
        file.write_bytes(search.text.encode())
        traces = [trace for name in names for trace in _traces(name, file, keys)]
    found: dict[int, float] = {}
    for creator, trace in traces:
        p = corrected(trace.p_value, len(traces))
        if p < SURE:
            found[creator] = min(p, found.get(creator, 1.0))
    return {
        "keys": len(keys),
        "places": max((trace.places for _, trace in traces), default=0),
        "enough": any(trace.enough for _, trace in traces),
        "found": [{"creator": creator, "p_value": p} for creator, p in sorted(found.items(), key=lambda row: row[1])],
    }


def _traces(engine: str, file: Path, keys: Sequence[tuple[int, Any]]) -> Iterator[tuple[int, Trace]]:
    """Each creator with what one engine finds by their key."""
    for start in range(0, len(keys), KEYS_AT_ONCE):
        some = keys[start : start + KEYS_AT_ONCE]
        traces = runtime().detect(engine, file, [bytes(key).hex() for _, key in some])
        yield from ((creator, trace) for (creator, _), trace in zip(some, traces, strict=True))


def corrected(p_value: float, tried: int) -> float:
    """The probability that the least of so many p-values is so small by chance alone.

    Šidák 1967, “Rectangular confidence regions for the means of multivariate normal distributions”.
    """
    return 1.0 if p_value >= 1 else -math.expm1(tried * math.log1p(-p_value))


@app.periodic(cron="41 * * * *")
@app.task(queue="quick", queueing_lock="forget_mark_searches")
def forget_mark_searches(timestamp: int) -> None:
    """Forget searches for marks after a day."""
    MarkSearch.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
