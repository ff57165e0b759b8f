"""The text engine: the contract's words, handed to the modules that keep them."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atelier.workshop.contract import (
    AdapterInvalid,
    Attribution,
    Capabilities,
    Category,
    Emit,
    FileKind,
    FileRef,
    Fingerprint,
    GenerateSpec,
    Hand,
    Inspection,
    Limits,
    Output,
    Report,
    Trace,
    TrainResult,
    TrainSpec,
    Upload,
)

from .export import FORMATS, export
from .fingerprints import NEAR_AT, similarity
from .prompts import BRIEF_SCHEMA
from .reading import inspect

if TYPE_CHECKING:
    from .base import Base
    from .serving.adapters import TextHand
    from .serving.remote import Remote
    from .serving.sampling import Sampling
    from .serving.scheduler import Scheduler

log = logging.getLogger(__name__)

VERSION = "1"
_TEXT = FileKind(suffix=".txt", media_type="text/plain", title="Plain text")
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_ACCEPTS = (
    _TEXT,
    FileKind(suffix=".md", media_type="text/markdown", title="Markdown"),
    FileKind(suffix=".html", media_type="text/html", title="Web page"),
    FileKind(suffix=".htm", media_type="text/html", title="Web page"),
    FileKind(suffix=".docx", media_type=_WORD, title="Word document"),
    FileKind(suffix=".pdf", media_type="application/pdf", title="PDF with text"),
    FileKind(suffix=".csv", media_type="text/csv", title="Table, one piece a row"),
    FileKind(suffix=".json", media_type="application/json", title="Pieces as JSON"),
)
_LIMITS = Limits(works_min=8, works_advised=40)


@dataclass(frozen=True)
class _Serving:
    base: Base
    scheduler: Scheduler | Remote


class TextEngine:
    """Learns how somebody writes and writes to a brief in that manner. See the contract's `Engine`."""

    name = "text"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: _Serving | None = None

    def capabilities(self) -> Capabilities:
        from .base import base_info

        return Capabilities(
            engine=self.name,
            title="Text",
            version=VERSION,
            categories=(
                Category(slug="copywriting", title="Copywriting"),
                Category(slug="marketing", title="Marketing"),
            ),
            accepts=_ACCEPTS,
            accepts_pasted=_TEXT,
            brief_schema=BRIEF_SCHEMA,
            output_kind="text",
            formats=FORMATS,
            extent_unit="words",
            extent_unit_one="word",
            near_duplicate_at=NEAR_AT,
            base=base_info(),
            limits=_LIMITS,
        )

    def inspect(self, upload: Upload, workspace: Path) -> Inspection:
        return inspect(upload, workspace, bytes_max=_LIMITS.upload_bytes)

    def similarity(self, left: Fingerprint, right: Fingerprint) -> float:
        return similarity(left, right)

    def train(self, spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
        from .training import train

        return train(spec, workspace, report)

    def load(self, adapter: Path) -> TextHand:
        from .base import base
        from .serving import adapters, remote

        server = remote.chosen()
        return remote.load(adapter, base(), server) if server else adapters.load(adapter, base())

    def warm(self) -> None:
        """Load the base and start serving, so that the first request does not wait for it."""
        self._serving()

    def generate(
        self, hand: Hand, spec: GenerateSpec, workspace: Path, emit: Emit, *, sampling: Sampling | None = None
    ) -> list[Output]:
        """As the contract says; `sampling` replaces the usual way of drawing tokens."""
        from atelier.workshop.guardrails import check_brief

        from .serving.adapters import TextHand
        from .serving.delivery import deliver
        from .serving.ranking import CANDIDATES
        from .serving.sampling import Sampling

        if not isinstance(hand, TextHand):
            raise AdapterInvalid("The hand belongs to another engine.", remedy="Load the adapter again.")
        check_brief(spec.brief, spec.guardrails)
        serving = self._serving()
        how, candidates = sampling or Sampling(), _number("CANDIDATES", CANDIDATES)
        return deliver(serving.scheduler, serving.base, hand, spec, workspace, emit, how, candidates)

    def export(self, master: Path, format_name: str, workspace: Path) -> FileRef:
        return export(master, format_name, workspace)

    def detect(self, file: Path, keys: Sequence[str]) -> list[Trace]:
        from .base import base
        from .marking import detect

        return detect(base(), file, keys)

    def attribute(self, adapter: Path, output: Path, brief: dict[str, Any]) -> Attribution:
        from .attribution import attribute
        from .base import base

        return attribute(base(), adapter, output, brief)

    def tidy(self) -> None:
        """Remove what was packed of adapters whose files are gone."""
        from .serving.shelf import shelf

        shelf().sweep()

    def close(self) -> None:
        """Stop serving and free the base; a later request loads it again."""
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            held.scheduler.close()

    def _serving(self) -> _Serving:
        from .base import base
        from .serving.delivery import LENGTH
        from .serving.network import network
        from .serving.remote import Remote, chosen
        from .serving.scheduler import Scheduler

        with self._lock:
            if self._held is None and (server := chosen()):
                self._held = _Serving(base(), Remote(base(), server))
            if self._held is None:
                decoder = network(base(), slots=_number("ROWS", 16), length=LENGTH, threads=_threads())
                scheduler = Scheduler(decoder)
                log.info("serving %d texts at once: %s", decoder.slots, scheduler.memory())
                self._held = _Serving(decoder.base, scheduler)
            return self._held


def _threads() -> int:
    """How many threads write: `ATELIER_TEXT_THREADS`, or up to four of the cores."""
    return _number("THREADS", min(4, os.cpu_count() or 1))


def _number(name: str, usual: int) -> int:
    """A whole number from the environment: `ATELIER_TEXT_ROWS` is how many texts are written at once,
    `ATELIER_TEXT_CANDIDATES` of how many beginnings the best is written on."""
    chosen = os.environ.get(f"ATELIER_TEXT_{name}", "")
    return int(chosen) if chosen.isdigit() and int(chosen) > 0 else usual
