"""What every engine promises. The tests in `suite` hold an engine to each of these words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from .specs import (
    Attribution,
    Capabilities,
    FileRef,
    Fingerprint,
    GenerateSpec,
    Inspection,
    Output,
    Pick,
    Preview,
    Progress,
    Trace,
    TrainResult,
    TrainSpec,
    Upload,
)

Report = Callable[[Progress], None]
"""Takes news of a long job. Raises `Cancelled` when the job is to stop: call it at least once a second."""

Emit = Callable[[Preview | Progress], None]
"""Takes news of a generation. Raises `Cancelled` when the client left."""


class Hand(Protocol):
    """A loaded adapter: cheap to hold, many at once. `close` frees what it holds and may be called twice."""

    adapter_sha256: str

    @property
    def bytes_held(self) -> int: ...

    def close(self) -> None: ...


@runtime_checkable
class Engine(Protocol):
    """Learns a creator's style from files and makes new files in it. Knows no user and no price.

    Constructing an engine and asking for its capabilities is cheap and imports no heavy library. All methods may be
    called from any thread, `generate` from many at once. Nothing is ever written outside the given workspace but
    the engine's own cache folder.

    More methods are optional: `warm()` loads what the first generation would wait for, and `close()` frees it;
    after `close` the engine may still be used and loads again what it needs. `tidy()` removes from its cache folder
    what was made of adapters whose files are gone. `missing()` says in a sentence or two what a person must still set
    or install before the engine can be used, and is empty where that is nothing: until then the registry leaves the
    engine out. It is asked once a process, before anything else, and is as cheap as `capabilities`. An engine that
    marks what it makes is a `MarkingEngine`, one that tells which works shaped it an `AttributingEngine`: one method
    more each. Its settings are variables of the environment that begin with `ATELIER_<NAME>_`: files are read and
    adapters trained where no others are seen.
    """

    name: str

    def capabilities(self) -> Capabilities:
        """What this engine offers. Pure, and the same for the life of the process."""
        ...

    def inspect(self, upload: Upload, workspace: Path) -> Inspection:
        """Read a hostile file and write each usable piece, cleaned, into the workspace.

        Errors: Unreadable when nothing in the file can be used at all.
        """
        ...

    def similarity(self, left: Fingerprint, right: Fingerprint) -> float:
        """How alike two works are by fingerprints of the same scheme, 0 (nothing in common) to 1 (the same)."""
        ...

    def train(self, spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
        """Learn an adapter from the works and evaluate it on works held out.

        Errors: TooFewWorks; Unreadable naming the work; Cancelled within two seconds of being asked.
        """
        ...

    def load(self, adapter: Path) -> Hand:
        """Make an adapter folder ready for use. Errors: AdapterInvalid."""
        ...

    def generate(self, hand: Hand, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
        """Make one output a seed, streaming previews of no more than the revealed share.

        Errors: BriefInvalid naming the field; Refused; Busy; Cancelled when `emit` says so.
        """
        ...

    def export(self, master: Path, format_name: str, workspace: Path) -> FileRef:
        """Write a master in one of the formats of the capabilities."""
        ...


@runtime_checkable
class MarkingEngine(Engine, Protocol):
    """An engine that can work a hidden mark into what it makes, and find it again."""

    def detect(self, file: Path, keys: Sequence[str]) -> list[Trace]:
        """What a hostile file, whole or in parts, changed or not, shows of each mark key, in the order of the keys.

        Pure, and without any adapter. For a file that was made without a key, that key's `p_value` is below any
        bound b at most about a share b of the time. Errors: Unreadable when the file is of no kind that could hold a
        mark of this engine.
        """
        ...


@runtime_checkable
class AttributingEngine(Engine, Protocol):
    """An engine that can tell which works shaped what it made."""

    def attribute(self, adapter: Path, output: Path, brief: dict[str, Any]) -> Attribution:
        """Shares over the works that an adapter was trained on, for a master that it made for a brief.

        Writes nothing. The same files and brief give the same shares. What is needed lies in the adapter's folder
        since its training; the works themselves are not read again. Cheap enough for every sale.
        Errors: Untold when the folder holds nothing to tell it by; AdapterInvalid; Unreadable; BriefInvalid.
        """
        ...


@runtime_checkable
class PreferringEngine(Engine, Protocol):
    """An engine that ranks what it makes, and learns from what people pick."""

    def prefer(self, picks: Sequence[Pick]) -> dict[str, float]:
        """A taste for `GenerateSpec.taste`, learned from all picks there are, the oldest first; {} for none.

        Pure, needs no adapter, and takes well below a second for some thousands of picks.
        """
        ...
