"""News of a generation on its way to open pages: gathered for a moment, then published together."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.db import transaction
from django.utils import timezone

from atelier.market.core import live
from atelier.market.core.pictures import BadPicture
from atelier.market.studio.models import Version
from atelier.workshop.contract import Cancelled, Preview, Progress

from . import kinds
from .engines import capabilities_of
from .models import Generation
from .pace import Pace

log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.08
# Each is shown instead of the one before, and is some ten kilobytes.
PICTURE_SECONDS = 0.4
PROGRESS_SECONDS = 0.4
LOOK_SECONDS = 1.0
# After a restart, pages may have lost their stream too: the slowest of them opens it again within this time.
RETURN_SECONDS = 35.0


def joined(before: dict[str, Any] | None, after: dict[str, Any]) -> dict[str, Any]:
    """Two payloads of one sample as one: what is to be appended adds up, everything else is replaced."""
    if not before:
        return after
    both = {**before, **after}
    if "append" in before and "append" in after:
        both["append"] = before["append"] + after["append"]
    return both


class News:
    """The `emit` of one attempt at a generation.

    Publishes "preview" {sample, payload} at most every 80 ms, pictures every 0.4 s; at most every 0.4 s "progress"
    {done, planned, seconds_left}, "queue" when others have their turn first, and "started" when it begins after such a
    wait. Once a second it keeps the progress with the time left, and looks whether to stop. Errors: Cancelled when the
    person cancelled, when the page that watched was left, when the version was erased, or when another worker took this
    up; `stopping` then says which.
    """

    def __init__(self, generation: Generation, clock: Callable[[], float] = time.monotonic) -> None:
        self.stopping = ""
        self._generation = generation
        self._clock = clock
        self._waiting: dict[int, dict[str, Any]] = {}
        self._progress: Progress | None = None
        self._told: tuple[int, int] | None = None
        self._ahead = generation.ahead
        self._pace = Pace()
        self._seconds_left: float | None = None
        self._shown = False
        self._flushed = self._told_at = float("-inf")
        self._looked = clock()
        self._leaves_count_from = self._looked + (RETURN_SECONDS if generation.restarts else 0.0)
        self._begun = not generation.was_turned_away

    @cached_property
    def _kind(self) -> str:
        """Asked of the engine with its first preview: where it is not installed, the job says so."""
        return capabilities_of(self._generation.creation_model).output_kind

    def __call__(self, news: Preview | Progress) -> None:
        if isinstance(news, Preview):
            self._gather(news)
        else:
            self._progress = news
            self._seconds_left = self._pace.seconds_left(news, self._clock())
        if not self._begun and (isinstance(news, Preview) or news.done):
            self._begun = True
            self._tell_place(None)
        now = self._clock()
        if self._waiting and now - self._flushed >= (PICTURE_SECONDS if self._kind == "image" else FLUSH_SECONDS):
            self.flush()
        if now - self._told_at >= PROGRESS_SECONDS:
            self._tell_progress(now)
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._look()

    def _gather(self, news: Preview) -> None:
        try:
            payload = kinds.checked_preview(self._kind, news.payload)
        except BadPicture as error:
            # The finished sample will be shown, or fail, for itself.
            log.warning("generation %s is previewed by what is no picture: %s", self._generation.pk, error)
        else:
            self._waiting[news.sample] = joined(self._waiting.get(news.sample), payload)

    def flush(self) -> None:
        """Publish what waits."""
        if not self._waiting:
            return
        publish = live.publish_anew if self._kind == "image" else live.publish
        with transaction.atomic():
            for sample, payload in sorted(self._waiting.items()):
                publish(self._generation.topic, "preview", sample=sample, payload=payload)
            if not self._shown:
                self._mine().filter(first_preview_at=None).update(first_preview_at=timezone.now())
        self._shown = True
        self._waiting = {}
        self._flushed = self._clock()

    def _tell_progress(self, now: float) -> None:
        progress = self._progress
        if progress is None:
            return
        # One that was turned away has its place from the engine that had no room: that nobody says so now is no news.
        if progress.ahead != self._ahead and (self._begun or progress.ahead is not None):
            self._tell_place(progress.ahead)
            self._told_at = now
        if (told := (progress.done, progress.planned)) == self._told:
            return
        live.publish(
            self._generation.topic,
            "progress",
            done=progress.done,
            planned=progress.planned,
            seconds_left=self._seconds_left,
        )
        self._told, self._told_at = told, now

    @transaction.atomic
    def _tell_place(self, ahead: int | None) -> None:
        """Keep how many are ahead, for whoever looks, and have open pages look."""
        self._mine().update(ahead=ahead, seconds_left=self._seconds_left)
        live.publish(self._generation.topic, "started" if ahead is None else "queue")
        self._ahead = ahead

    def _look(self) -> None:
        done, planned = (self._progress.done, self._progress.planned) if self._progress else (0, 0)
        wanted = (
            self._mine()
            .filter(cancel_requested=False)
            .update(done=done, planned=planned, seconds_left=self._seconds_left)
        )
        if not wanted:
            self.stopping = "cancelled" if self._mine().exists() else "taken"
        elif self._looked >= self._leaves_count_from and self._was_left():
            self.stopping = "left"
        elif Version.objects.filter(pk=self._generation.version_id, state=Version.State.ERASED).exists():
            self.stopping = "erased"
        if self.stopping:
            raise Cancelled

    def _was_left(self) -> bool:
        return self._generation.stop_when_left and live.abandoned(self._generation.topic)

    def _mine(self) -> Any:
        """The generation's row as long as this attempt has it."""
        return Generation.objects.filter(
            pk=self._generation.pk, attempt=self._generation.attempt, state=Generation.State.RUNNING
        )
