"""The diffusion engine: the contract's words, handed to the modules that keep them.

What was run and what was not is in docs/adr/0005: no base of a real size and no graphics card were at hand when this
was written; every line was run on a processor with bases of random weights.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from atelier.workshop.contract import (
    AdapterInvalid,
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
    TrainResult,
    TrainSpec,
    Upload,
)

from . import base as bases
from .briefs import BRIEF_SCHEMA
from .masters import FORMATS
from .splits import WORKS_ADVISED, WORKS_MIN

if TYPE_CHECKING:
    from .lora import DiffusionHand
    from .serving.easel import Easel

VERSION = "1"
_LIMITS = Limits(
    upload_bytes=30_000_000, pieces_per_file=1, inspect_seconds=60, works_min=WORKS_MIN, works_advised=WORKS_ADVISED
)
_ACCEPTS = (
    FileKind(suffix=".png", media_type="image/png", title="PNG picture"),
    FileKind(suffix=".jpg", media_type="image/jpeg", title="JPEG picture"),
    FileKind(suffix=".jpeg", media_type="image/jpeg", title="JPEG picture"),
    FileKind(suffix=".webp", media_type="image/webp", title="WebP picture"),
)


class DiffusionEngine:
    """Learns the manner of somebody's pictures and makes others in it. See the contract's `Engine`.

    Offered only where `ATELIER_DIFFUSION_BASE` names a base and the libraries are installed (`missing`).
    """

    name = "diffusion"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._easel: Easel | None = None

    def missing(self) -> str:
        return bases.missing()

    def capabilities(self) -> Capabilities:
        from atelier.workshop.pictures.fingerprints import NEAR_AT

        return Capabilities(
            engine=self.name,
            title="Pictures",
            version=VERSION,
            categories=(
                Category(slug="graphic-design", title="Graphic design in pictures"),
                Category(slug="illustration", title="Illustration"),
            ),
            accepts=_ACCEPTS,
            brief_schema=BRIEF_SCHEMA,
            output_kind="image",
            formats=FORMATS,
            extent_unit="pictures",
            extent_unit_one="picture",
            near_duplicate_at=NEAR_AT,
            base=bases.base().info,
            limits=_LIMITS,
        )

    def inspect(self, upload: Upload, workspace: Path) -> Inspection:
        from .inspection import inspect

        return inspect(upload, workspace, bytes_max=_LIMITS.upload_bytes)

    def similarity(self, left: Fingerprint, right: Fingerprint) -> float:
        from atelier.workshop.pictures.fingerprints import similarity

        return similarity(left, right)

    def train(self, spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
        from .settings import check_libraries

        check_libraries()
        from .training import train

        return train(spec, workspace, report)

    def load(self, adapter: Path) -> DiffusionHand:
        from .lora import load
        from .settings import check_libraries

        check_libraries()
        return load(adapter, bases.base())

    def warm(self) -> None:
        """Load the base, so that the first request does not wait for it."""
        self._serving().warm()

    def generate(self, hand: Hand, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
        from .lora import DiffusionHand
        from .serving.delivery import deliver

        if not isinstance(hand, DiffusionHand) or not hand.weights:
            raise AdapterInvalid("The hand is closed or belongs to another engine.", remedy="Load the adapter again.")
        return deliver(self._serving(), hand, spec, workspace, emit)

    def export(self, master: Path, format_name: str, workspace: Path) -> FileRef:
        from .masters import export

        return export(master, format_name, workspace)

    def close(self) -> None:
        """Stop serving and free the base; a later request loads it again."""
        with self._lock:
            held, self._easel = self._easel, None
        if held is not None:
            held.close()

    def _serving(self) -> Easel:
        from .serving.easel import Easel
        from .settings import check_libraries

        check_libraries()
        with self._lock:
            if self._easel is None:
                self._easel = Easel(bases.base())
            return self._easel
