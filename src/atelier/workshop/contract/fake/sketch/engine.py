"""The sketching engine: obeys every word of the contract for pictures with nothing but colours and shapes."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atelier.workshop.contract.engine import Emit, Hand, Report
from atelier.workshop.contract.errors import AdapterInvalid, TooFewWorks, Unreadable, WorkshopError
from atelier.workshop.contract.fake.guards import refuse_forbidden
from atelier.workshop.contract.specs import (
    BaseModelInfo,
    Capabilities,
    Category,
    FileKind,
    FileRef,
    Fingerprint,
    GenerateSpec,
    Inspection,
    Limits,
    Output,
    OutputFormat,
    Pick,
    Preview,
    Progress,
    TrainResult,
    TrainSpec,
    Upload,
    WorkFile,
)

from . import composing, proof, reading
from .briefs import BRIEF_SCHEMA, checked_brief
from .scene import Scene, from_svg, in_words, to_pixels, to_svg

ADAPTER_FORMAT = "atelier-sketch-adapter-1"
SHOWN = (240, 160)
"""The size of a sample in pixels where all of it is revealed."""
COLOURS_MOST = 12
STEPS = 4

_CAPABILITIES = Capabilities(
    engine="sketch",
    title="Shapes and colours (for tests)",
    version="1",
    categories=(Category(slug="sketches", title="Sketches"),),
    accepts=(
        FileKind(suffix=".svg", media_type="image/svg+xml", title="SVG drawing"),
        FileKind(suffix=".png", media_type="image/png", title="PNG picture"),
    ),
    brief_schema=BRIEF_SCHEMA,
    output_kind="image",
    formats=(
        OutputFormat(name="svg", title="SVG, to be edited", media_type="image/svg+xml", suffix=".svg"),
        OutputFormat(name="png", title="PNG", media_type="image/png", suffix=".png"),
    ),
    extent_unit="shapes",
    near_duplicate_at=0.8,
    base=BaseModelInfo(
        name="six plain colours",
        sha256=hashlib.sha256("".join(proof.BASE).encode()).hexdigest(),
        licence="AGPL-3.0-or-later",
        source="this project",
        parameters=len(proof.BASE),
    ),
    limits=Limits(upload_bytes=1_000_000, pieces_per_file=1, inspect_seconds=10, works_min=4, works_advised=10),
    variations=composing.VARIATIONS,
)


@dataclass
class SketchHand:
    """The colours of one adapter in memory."""

    adapter_sha256: str
    learned: composing.Learned
    bytes_held: int = 0

    def close(self) -> None:
        """Forget the colours; may be called twice."""
        self.learned = composing.Learned(())
        self.bytes_held = 0


class SketchEngine:
    """Learns colours, and lays shapes of them on sheets."""

    name = "sketch"

    def __init__(self) -> None:
        self._seconds = float(os.environ.get("ATELIER_SKETCH_SECONDS", "0"))

    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def inspect(self, upload: Upload, workspace: Path) -> Inspection:
        suffixes = tuple(kind.suffix for kind in _CAPABILITIES.accepts)
        return reading.read(upload, workspace, _CAPABILITIES.limits, suffixes)

    def similarity(self, left: Fingerprint, right: Fingerprint) -> float:
        return reading.similarity(left, right)

    def train(self, spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
        started = time.monotonic()
        if spec.recipe:
            raise WorkshopError("This is no setting.", where=next(iter(spec.recipe)), remedy="There are none.")
        scenes = _read_works(spec.works)
        order = sorted(spec.works, key=lambda w: hashlib.sha256(f"{spec.seed}:{w.sha256}".encode()).digest())
        held_out = tuple(work.id for work in order[: max(1, len(order) // 5)])
        counted: Counter[str] = Counter()
        sources: dict[str, WorkFile] = {}
        planned = len(order) + 1
        for done, work in enumerate(order):
            report(Progress(stage="learning", done=done, planned=planned))
            counted.update(scenes[work.id].colours)
            sources |= {colour: sources.get(colour, work) for colour in scenes[work.id].colours}
        twin = Counter(colour for work in order if work.id not in held_out for colour in scenes[work.id].colours)
        colours = _commonest(counted)
        report(Progress(stage="proof", done=planned - 1, planned=planned))
        unseen = [scenes[work] for work in held_out]
        tags = {colour: [sources[colour].title] for colour in colours}
        data = {"format": ADAPTER_FORMAT, "base_sha256": _CAPABILITIES.base.sha256, "colours": colours, "tags": tags}
        raw = json.dumps(data, separators=(",", ":")).encode()
        adapter = reading.written(workspace, "adapter/adapter.json", raw, "application/json")
        evaluation = proof.evaluate(spec, _commonest(twin), unseen, held_out)
        found = proof.parts(workspace, {colour: sources[colour] for colour in colours})
        shown = proof.sheets(workspace, colours, unseen)
        report(Progress(stage="done", done=planned, planned=planned, seconds_left=0))
        return TrainResult(
            adapter_dir="adapter",
            adapter_files=(adapter,),
            adapter_sha256=adapter.sha256,
            evaluation=evaluation,
            card={"engine": self.name, "base": _CAPABILITIES.base.model_dump(), "works": len(spec.works)},
            seconds=time.monotonic() - started,
            parts=found,
            sheets=shown,
        )

    def load(self, adapter: Path) -> SketchHand:
        remedy = "Train the version again, or restore its files from a backup."
        try:
            raw = (adapter / "adapter.json").read_bytes()
            data = json.loads(raw)
            if (data["format"], data["base_sha256"]) != (ADAPTER_FORMAT, _CAPABILITIES.base.sha256):
                raise ValueError("it was made for another base")
            tags = {str(colour): tuple(map(str, words)) for colour, words in data["tags"].items()}
            learned = composing.Learned(tuple(str(colour) for colour in data["colours"]), tags)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise AdapterInvalid(
                f"The adapter cannot be read: {error}.", where="adapter.json", remedy=remedy
            ) from error
        return SketchHand(hashlib.sha256(raw).hexdigest(), learned, 4 * len(raw))

    def generate(self, hand: Hand, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
        if not isinstance(hand, SketchHand) or not hand.learned.colours:
            raise AdapterInvalid("The hand is closed or belongs to another engine.", remedy="Load the adapter again.")
        checked_brief(spec.brief)
        refuse_forbidden(spec.brief, spec.guardrails)
        planned = STEPS * len(spec.seeds)
        emit(Progress(stage="drawing", done=0, planned=planned))
        outputs = []
        for sample, seed in enumerate(spec.seeds):
            scene = composing.compose(hand.learned, spec, seed)
            for step in range(1, STEPS + 1):
                time.sleep(self._seconds)
                if spec.reveal > 0:
                    emit(Preview(sample=sample, payload=_shown(scene, spec.reveal * step / STEPS)))
                emit(Progress(stage="drawing", done=STEPS * sample + step, planned=planned))
            outputs.append(_output(scene, sample, seed, spec, workspace))
        return outputs

    def export(self, master: Path, format_name: str, workspace: Path) -> FileRef:
        known = {form.name: form for form in _CAPABILITIES.formats}
        if format_name not in known:
            raise WorkshopError(f"There is no format “{format_name}”.", remedy=f"Choose one of: {', '.join(known)}.")
        form = known[format_name]
        raw = master.read_bytes()
        if form.name == "png":
            try:
                raw = to_pixels(from_svg(raw.decode("utf-8")), 960, 640)
            except ValueError as error:
                raise Unreadable("The master is no sheet.", where=master.name, remedy="Make it again.") from error
        return reading.written(workspace, f"{master.stem}{form.suffix}", raw, form.media_type)

    def prefer(self, picks: Sequence[Pick]) -> dict[str, float]:
        return composing.prefer(picks)


def _commonest(counted: Counter[str]) -> list[str]:
    return sorted(counted, key=lambda colour: (-counted[colour], colour))[:COLOURS_MOST]


def _read_works(works: tuple[WorkFile, ...]) -> dict[str, Scene]:
    least = _CAPABILITIES.limits.works_min
    if len(works) < least:
        raise TooFewWorks(f"There are {len(works)} works.", remedy=f"Add works until there are at least {least}.")
    scenes = {}
    for work in works:
        try:
            raw = Path(work.path).read_bytes()
        except OSError as error:
            raise Unreadable("The work cannot be read.", where=work.title, remedy="Upload it again.") from error
        scenes[work.id] = reading.scene_of(raw, work.title)
    return scenes


def _shown(scene: Scene, reveal: float) -> dict[str, str | int]:
    """The sheet in no more than the revealed share of its pixels, as a data URI with its size."""
    side = math.sqrt(reveal)
    wide, high = (max(1, int(length * side)) for length in SHOWN)
    raw = to_pixels(scene, wide, high, "WEBP")
    return {"image": f"data:image/webp;base64,{base64.b64encode(raw).decode()}", "width": wide, "height": high}


def _output(scene: Scene, sample: int, seed: int, spec: GenerateSpec, workspace: Path) -> Output:
    raw = to_svg(scene).encode()
    return Output(
        sample=sample,
        seed=seed,
        file=reading.written(workspace, f"sample-{sample + 1}.svg", raw, "image/svg+xml"),
        reduced={**_shown(scene, spec.reveal), "told": in_words(scene)},
        extent=len(scene.shapes),
        finish="complete",
        features=composing.features(scene),
    )
