"""Talks to whoever started the command: a person at a terminal, a log, or a program that reads JSON."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from atelier.workshop.contract import Cancelled, Progress, WorkshopError

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


class BadInput(WorkshopError):
    """A file, folder or argument that the person gave cannot be used; `where` names it."""

    code = "bad_input"


class Console:
    """Results go to standard output, everything else to standard error.

    With `as_json`, standard output gets exactly one line, and standard error one JSON document a line.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.live = sys.stderr.isatty() and not as_json
        self._stopped = False
        self._last: Progress | None = None
        self._bars: Bars | None = None
        self._task: TaskID | None = None

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Ctrl-C asks to stop, and what runs hears of it at its next news; a second Ctrl-C ends at once."""

        def stop(number: int, frame: FrameType | None) -> None:
            if self._stopped:
                raise KeyboardInterrupt
            self._stopped = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self.finish()

    def check(self) -> None:
        """Errors: Cancelled when the person asked to stop."""
        if self._stopped:
            raise Cancelled

    def progress(self, news: Progress) -> None:
        """Show how far the work is. Errors: Cancelled when the person asked to stop."""
        self.check()
        last, self._last = self._last, news
        if news == last:
            return
        if self.as_json:
            self._error_line({"progress": news.model_dump(mode="json", exclude_defaults=True)})
        elif self.live:
            self._draw(news)
        elif not last or last.stage != news.stage or _tenth(last) != _tenth(news):
            sys.stderr.write(f"{news.stage}: {news.done} of {news.planned}{_left(news)}\n")
            sys.stderr.flush()

    def note(self, text: str) -> None:
        """Something the person should know that stops nothing."""
        if self.as_json:
            self._error_line({"note": text})
        elif self._bars:
            self._bars.console.print(text, markup=False, highlight=False)
        else:
            sys.stderr.write(f"{text}\n")

    def error(self, error: WorkshopError) -> None:
        """Why it did not work and what to do, in words; to a program also as a document."""
        self.finish()
        sys.stderr.write(f"atelier: {error}\n")
        if self.as_json:
            what = {"code": error.code, "where": error.where, "message": error.message, "remedy": error.remedy}
            self.document({"error": what})

    def document(self, data: dict[str, Any]) -> None:
        """The result, for a program."""
        sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def say(self, text: str = "") -> None:
        """The result, for a person."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def finish(self) -> None:
        """Take down what is drawn on the terminal."""
        if self._bars:
            self._bars.stop()
        self._bars = self._task = None

    def _draw(self, news: Progress) -> None:
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bars

        if self._bars is None:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[more]}"),
            )
            self._bars = Bars(*columns, console=Terminal(stderr=True))
            self._task = self._bars.add_task(news.stage, more="")
            self._bars.start()
        assert self._task is not None
        figures = "  ".join(f"{name} {value:.4g}" for name, value in news.metrics.items())
        more = f"{_left(news).removeprefix(', ')}  {figures}".strip()
        self._bars.update(self._task, description=news.stage, completed=news.done, total=news.planned, more=more)

    def _error_line(self, data: dict[str, Any]) -> None:
        sys.stderr.write(json.dumps(data, ensure_ascii=False) + "\n")
        sys.stderr.flush()


def _tenth(news: Progress) -> int:
    return 10 * news.done // max(1, news.planned)


def _left(news: Progress) -> str:
    if news.seconds_left is None:
        return ""
    minutes, seconds = divmod(round(news.seconds_left), 60)
    return f", {minutes}:{seconds:02} left"
