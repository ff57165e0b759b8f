"""The fake engine: obeys every word of the contract with nothing but counts of word pairs."""

from __future__ import annotations

import hashlib
import html
import json
import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atelier.workshop.contract.engine import Emit, Hand, Report
from atelier.workshop.contract.errors import AdapterInvalid, TooFewWorks, Unreadable, WorkshopError
from atelier.workshop.contract.specs import (
    Attribution,
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
    Preview,
    Progress,
    Trace,
    TrainResult,
    TrainSpec,
    Upload,
    WorkFile,
)

from . import attributing, marking, reading
from .bigrams import BASE_TEXT, Counts, joined, words, write
from .guards import BRIEF_SCHEMA, NeverWords, checked_brief, refuse_forbidden
from .proof import evaluate

ADAPTER_FORMAT = "atelier-fake-adapter-1"
RECIPE: dict[str, float | int] = {"steps": 20, "seconds_per_step": 0.0, "fail_at": 0}
"""Steps of training, seconds each takes at least, and the step at which it fails on purpose (0: never)."""

_TEXT = FileKind(suffix=".txt", media_type="text/plain", title="Plain text")
_CAPABILITIES = Capabilities(
    engine="fake",
    title="Word pairs (for tests)",
    version="1",
    categories=(Category(slug="copywriting", title="Copywriting"), Category(slug="practice", title="Practice")),
    accepts=(
        _TEXT,
        FileKind(suffix=".md", media_type="text/markdown", title="Markdown"),
        FileKind(suffix=".json", media_type="application/json", title="Pieces as JSON"),
    ),
    accepts_pasted=_TEXT,
    brief_schema=BRIEF_SCHEMA,
    output_kind="text",
    formats=(
        OutputFormat(name="txt", title="Plain text", media_type="text/plain", suffix=".txt"),
        OutputFormat(name="html", title="Web page", media_type="text/html", suffix=".html"),
    ),
    extent_unit="words",
    near_duplicate_at=0.7,
    base=BaseModelInfo(
        name="word pairs of one page",
        sha256=hashlib.sha256(BASE_TEXT.encode()).hexdigest(),
        licence="AGPL-3.0-or-later",
        source="this project",
        parameters=len(words(BASE_TEXT)),
    ),
    limits=Limits(upload_bytes=2_000_000, pieces_per_file=200, inspect_seconds=10, works_min=4, works_advised=10),
)


@dataclass
class FakeHand:
    """The counts of one adapter in memory."""

    adapter_sha256: str
    counts: Counts = field(repr=False)
    bytes_held: int = 0

    def close(self) -> None:
        """Forget the counts; may be called twice."""
        self.counts = Counts()
        self.bytes_held = 0


class FakeEngine:
    """Learns which word follows which, and writes so. `ATELIER_FAKE_SECONDS_PER_WORD` slows writing for tests."""

    name = "fake"

    def __init__(self) -> None:
        self._seconds_per_word = float(os.environ.get("ATELIER_FAKE_SECONDS_PER_WORD", "0"))

    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def inspect(self, upload: Upload, workspace: Path) -> Inspection:
        suffixes = tuple(kind.suffix for kind in _CAPABILITIES.accepts)
        return reading.read(upload, workspace, _CAPABILITIES.limits, suffixes)

    def similarity(self, left: Fingerprint, right: Fingerprint) -> float:
        return reading.similarity(left, right)

    def train(self, spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
        started = time.monotonic()
        recipe = _recipe(spec)
        texts = _read_works(spec.works)
        held_out = _held_out(spec)
        learning = [w for w in spec.works if w.id not in held_out]
        counts, curve = Counts(), []
        steps = int(recipe["steps"])
        planned = steps + 1
        slices = _slices([texts[w.id] for w in learning], steps, spec.seed)
        for step, portion in enumerate(slices, start=1):
            report(Progress(stage="learning", done=step - 1, planned=planned))
            if step == recipe["fail_at"]:
                raise RuntimeError(f"failed on purpose at step {step}")
            for text in portion:
                counts.add(text)
            curve.append({"step": float(step), "words": float(counts.singles.total())})
            _pause(float(recipe["seconds_per_step"]), report, Progress(stage="learning", done=step, planned=planned))
        report(Progress(stage="proof", done=steps, planned=planned))
        evaluation = evaluate(spec, counts, texts, held_out, curve)
        adapter = _write_adapter(counts, workspace)
        beside = attributing.kept({work.sha256: texts[work.id] for work in learning}, adapter.sha256)
        kept = _write(workspace, f"adapter/{attributing.KEPT}", beside, "application/json")
        report(Progress(stage="done", done=planned, planned=planned, seconds_left=0))
        return TrainResult(
            adapter_dir="adapter",
            adapter_files=(adapter, kept),
            adapter_sha256=adapter.sha256,
            evaluation=evaluation,
            card={
                "engine": self.name,
                "engine_version": _CAPABILITIES.version,
                "base": _CAPABILITIES.base.model_dump(),
                "dataset_sha256": spec.dataset_sha256,
                "works": len(spec.works),
                "seed": spec.seed,
                "recipe": recipe,
            },
            seconds=time.monotonic() - started,
        )

    def load(self, adapter: Path) -> FakeHand:
        remedy = "Train the version again, or restore its files from a backup."
        try:
            raw = (adapter / "adapter.json").read_bytes()
            data = json.loads(raw)
            if data["format"] != ADAPTER_FORMAT:
                raise ValueError(f"unknown format “{data['format']}”")
            counts = Counts.from_json(data["pairs"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise AdapterInvalid(
                f"The adapter cannot be read: {error}.", where="adapter.json", remedy=remedy
            ) from error
        if data.get("base_sha256") != _CAPABILITIES.base.sha256:
            raise AdapterInvalid("The adapter was made for another base.", where="adapter.json", remedy=remedy)
        if not counts.singles:
            raise AdapterInvalid("The adapter is empty.", where="adapter.json", remedy=remedy)
        return FakeHand(hashlib.sha256(raw).hexdigest(), counts, 4 * len(raw))

    def generate(self, hand: Hand, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
        if not isinstance(hand, FakeHand) or not hand.counts.singles:
            raise AdapterInvalid("The hand is closed or belongs to another engine.", remedy="Load the adapter again.")
        brief = checked_brief(spec.brief)
        refuse_forbidden(brief, spec.guardrails)
        texts = [compose(hand.counts, brief, seed, spec) for seed in spec.seeds]
        planned = sum(len(text.split()) for text, _ in texts)
        done = 0
        emit(Progress(stage="writing", done=0, planned=planned))
        outputs = []
        for sample, (seed, (text, complete)) in enumerate(zip(spec.seeds, texts, strict=True)):
            allowance = int(spec.reveal * len(text))
            for piece in _pieces(text):
                if self._seconds_per_word:
                    time.sleep(self._seconds_per_word)
                done += 1
                if len(piece) <= allowance:
                    emit(Preview(sample=sample, payload={"append": piece}))
                    allowance -= len(piece)
                else:
                    allowance = 0
                emit(Progress(stage="writing", done=done, planned=planned))
            file = _write(workspace, f"sample-{sample + 1}.txt", text.encode(), "text/plain")
            outputs.append(
                Output(
                    sample=sample,
                    seed=seed,
                    file=file,
                    reduced={"text": shown(text, spec.reveal)},
                    extent=len(text.split()),
                    finish="complete" if complete else "length",
                )
            )
        return outputs

    def export(self, master: Path, format_name: str, workspace: Path) -> FileRef:
        known = {form.name: form for form in _CAPABILITIES.formats}
        if format_name not in known:
            raise WorkshopError(f"There is no format “{format_name}”.", remedy=f"Choose one of: {', '.join(known)}.")
        text = master.read_text(encoding="utf-8")
        form = known[format_name]
        if format_name == "html":
            lines = "".join(f"<p>{html.escape(line)}</p>\n" for line in text.splitlines() if line)
            text = f'<!doctype html>\n<meta charset="utf-8">\n<title>{html.escape(text[:60])}</title>\n{lines}'
        return _write(workspace, f"{master.stem}{form.suffix}", text.encode(), form.media_type)

    def detect(self, file: Path, keys: Sequence[str]) -> list[Trace]:
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Unreadable("This is no text.", where=file.name, remedy="Save it as plain text.") from error
        return [marking.trace(text, key) for key in keys]

    def attribute(self, adapter: Path, output: Path, brief: dict[str, Any]) -> Attribution:
        checked_brief(brief)
        return attributing.attribute(adapter, output)


def compose(counts: Counts, brief: dict[str, Any], seed: int, spec: GenerateSpec) -> tuple[str, bool]:
    """The text for a brief, and whether it ended by itself. The same for the same arguments, always."""
    rng = random.Random(json.dumps([seed, spec.adapter_sha256, brief], sort_keys=True))
    never = NeverWords(spec.guardrails.words_never)
    length = min(8, brief["length"]) if brief["format"] == "tagline" else brief["length"]
    body, complete = write(counts, rng, length, never.allowed)
    text = f"{brief['subject'].strip()}: {joined(body)}"
    whole = f"Dear reader,\n\n{text}" if brief["format"] == "letter" else text
    return (marking.marked(whole, spec.mark_key) if spec.mark_key else whole), complete


def shown(text: str, reveal: float) -> str:
    """The opening of a text that may be shown unpaid: whole words, no more than the revealed share of letters."""
    allowance, out = int(reveal * len(text)), ""
    for piece in _pieces(text):
        if len(out) + len(piece) > allowance:
            break
        out += piece
    return out


def _pieces(text: str) -> Iterator[str]:
    """The text in words, each with the blanks before it."""
    start = 0
    for end in [i for i, c in enumerate(text) if c.isspace() and i and not text[i - 1].isspace()] + [len(text)]:
        yield text[start:end]
        start = end


def _recipe(spec: TrainSpec) -> dict[str, float | int | str | bool]:
    for name, value in spec.recipe.items():
        if name not in RECIPE or isinstance(value, str | bool) or value < 0:
            known = ", ".join(RECIPE)
            raise WorkshopError("This is no setting of the recipe.", where=name, remedy=f"Numbers for: {known}.")
    return {**RECIPE, **spec.recipe}


def _read_works(works: tuple[WorkFile, ...]) -> dict[str, str]:
    least = _CAPABILITIES.limits.works_min
    if len(works) < least:
        raise TooFewWorks(f"There are {len(works)} works.", remedy=f"Add works until there are at least {least}.")
    texts = {}
    for work in works:
        try:
            raw = Path(work.path).read_bytes()
            text = raw.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Unreadable("The work cannot be read.", where=work.title, remedy="Upload it again.") from error
        if hashlib.sha256(raw).hexdigest() != work.sha256:
            raise Unreadable("The file is not the one that was named.", where=work.title, remedy="Upload it again.")
        texts[work.id] = text
    return texts


def _held_out(spec: TrainSpec) -> tuple[str, ...]:
    """A fifth of the works, drawn by seed and content and not by order."""
    order = sorted(spec.works, key=lambda w: hashlib.sha256(f"{spec.seed}:{w.sha256}".encode()).digest())
    return tuple(w.id for w in order[: max(1, len(order) // 5)])


def _slices(texts: list[str], steps: int, seed: int) -> list[list[str]]:
    """The texts shuffled and dealt to the steps; a step may get none, and none is dealt twice."""
    order = sorted(texts)
    random.Random(seed).shuffle(order)
    steps = max(1, steps)
    return [order[step::steps] for step in range(steps)]


def _pause(seconds: float, report: Report, progress: Progress) -> None:
    """Sleep while asking several times a second whether to stop."""
    end = time.monotonic() + seconds
    report(progress)
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.1))
        report(progress)


def _write_adapter(counts: Counts, workspace: Path) -> FileRef:
    (workspace / "adapter").mkdir()
    data = {"format": ADAPTER_FORMAT, "base_sha256": _CAPABILITIES.base.sha256, "pairs": counts.to_json()}
    raw = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return _write(workspace, "adapter/adapter.json", raw, "application/json")


def _write(workspace: Path, name: str, raw: bytes, media_type: str) -> FileRef:
    (workspace / name).write_bytes(raw)
    return FileRef(path=name, sha256=hashlib.sha256(raw).hexdigest(), bytes=len(raw), media_type=media_type)
