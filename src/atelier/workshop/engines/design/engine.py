"""The design engine: the contract's words, handed to the modules that keep them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
    Pick,
    Report,
    TrainResult,
    TrainSpec,
    Upload,
)
from atelier.workshop.pictures.fingerprints import NEAR_AT

from .base import BASE, VERSION
from .formats import FORMATS
from .schema import BRIEF_SCHEMA
from .ways import VARIATIONS

if TYPE_CHECKING:
    from .learning.style import Style

_LIMITS = Limits(upload_bytes=20_000_000, pieces_per_file=100, inspect_seconds=60, works_min=6, works_advised=30)
_ACCEPTS = (
    FileKind(suffix=".svg", media_type="image/svg+xml", title="SVG drawing"),
    FileKind(suffix=".svgz", media_type="image/svg+xml", title="Packed SVG drawing"),
    FileKind(suffix=".pdf", media_type="application/pdf", title="PDF with drawings"),
    FileKind(suffix=".png", media_type="image/png", title="PNG picture"),
    FileKind(suffix=".jpg", media_type="image/jpeg", title="JPEG picture"),
    FileKind(suffix=".jpeg", media_type="image/jpeg", title="JPEG picture"),
    FileKind(suffix=".webp", media_type="image/webp", title="WebP picture"),
)


@dataclass
class DesignHand:
    """The style of one adapter in memory."""

    adapter_sha256: str
    style: Style | None = field(repr=False)
    bytes_held: int = 0

    def close(self) -> None:
        """Forget the style; may be called twice."""
        self.style = None
        self.bytes_held = 0


class DesignEngine:
    """Learns a graphic designer's hand and makes pieces in it. See the contract's `Engine`."""

    name = "design"

    def capabilities(self) -> Capabilities:
        return Capabilities(
            engine=self.name,
            title="Graphic design",
            version=VERSION,
            categories=(Category(slug="graphic-design", title="Graphic design"),),
            accepts=_ACCEPTS,
            brief_schema=BRIEF_SCHEMA,
            output_kind="image",
            formats=FORMATS,
            extent_unit="motifs",
            extent_unit_one="motif",
            near_duplicate_at=NEAR_AT,
            base=BASE,
            limits=_LIMITS,
            variations=VARIATIONS,
        )

    def inspect(self, upload: Upload, workspace: Path) -> Inspection:
        from .reading import inspect

        return inspect(upload, workspace, bytes_max=_LIMITS.upload_bytes)

    def similarity(self, left: Fingerprint, right: Fingerprint) -> float:
        from atelier.workshop.pictures.fingerprints import similarity

        return similarity(left, right)

    def train(self, spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
        from .training import train

        return train(spec, workspace, report)

    def load(self, adapter: Path) -> DesignHand:
        from .learning.style import adapter_sha256, load

        style = load(adapter)
        held = sum(path.stat().st_size for path in adapter.rglob("*") if path.is_file())
        return DesignHand(adapter_sha256(adapter), style, 4 * held)

    def warm(self) -> None:
        """Load fonts and the encoder of words, so that the first request does not wait for them."""
        from atelier.workshop.encoders.sentence import sentence_vectors

        from .type.choosing import catalogue, fallbacks

        sentence_vectors(["a picture"])
        catalogue()
        fallbacks()

    def generate(self, hand: Hand, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
        from .delivery import deliver

        if not isinstance(hand, DesignHand) or hand.style is None:
            raise AdapterInvalid("The hand is closed or belongs to another engine.", remedy="Load the adapter again.")
        return deliver(hand.style, spec, workspace, emit)

    def export(self, master: Path, format_name: str, workspace: Path) -> FileRef:
        from .masters import written

        return written(master, format_name, workspace)

    def attribute(self, adapter: Path, output: Path, brief: dict[str, Any]) -> Attribution:
        from .attribution import attribute

        return attribute(adapter, output, brief)

    def prefer(self, picks: Sequence[Pick]) -> dict[str, float]:
        from .taste import prefer

        return prefer(picks)
