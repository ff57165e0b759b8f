"""`atelier generate`: a brief and an adapter become finished pieces."""

from __future__ import annotations

import secrets
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from atelier.workshop.contract import Capabilities, GenerateSpec, Guardrails, Output, Preview, Progress
from atelier.workshop.contract.registry import engine as engine_named
from atelier.workshop.runtime import Runtime

from .console import BadInput, Console
from .outputs import Label, adapter_of, check_out, put_in_place, staging
from .train import read_guardrails
from .verify import read_key
from .works import read_json

_SEEDS = 1 << 31
_EXCERPT = 400


@dataclass(frozen=True)
class GenerateRequest:
    """What the person asked for. Without a seed one is drawn, and told."""

    adapter: Path
    brief: Path
    out: Path
    seed: int | None = None
    samples: int = 1
    guardrails: Path | None = None
    mark_key: Path | None = None
    force: bool = False


def generate(request: GenerateRequest, runtime: Runtime, console: Console) -> None:
    """Generate, showing text as it is written. Errors: those of the contract; BadInput."""
    adapter, trained = adapter_of(request.adapter)
    capabilities = engine_named(trained.engine).capabilities()
    check_out(request.out, force=request.force)
    if not 1 <= request.samples <= capabilities.limits.samples_max:
        remedy = f"Ask for 1 to {capabilities.limits.samples_max}."
        raise BadInput(f"{request.samples} samples cannot be made at once.", where="--samples", remedy=remedy)
    seed = secrets.randbelow(_SEEDS) if request.seed is None else request.seed
    spec = GenerateSpec(
        request_id=secrets.token_hex(8),
        adapter_sha256=trained.adapter_sha256,
        brief=_brief(request.brief),
        seeds=tuple(seed + number for number in range(request.samples)),
        guardrails=_guardrails(trained, request),
        mark_key=read_key(request.mark_key) if request.mark_key else None,
    )
    started = time.monotonic()
    with staging(request.out) as workspace:
        run, kept = workspace / "run", workspace / "result"
        run.mkdir()
        kept.mkdir()
        show = _Show(console, capabilities, request.samples)
        outputs = runtime.generate(trained.engine, adapter, spec, run, show)
        seconds = time.monotonic() - started
        show.end()
        rows = [_keep(output, run, kept, capabilities) for output in outputs]
        if capabilities.output_kind == "image":
            _draw(rows, trained.engine, kept, runtime, capabilities)
        label = Label(
            kind="outputs",
            atelier=version("atelier"),
            engine=trained.engine,
            engine_version=capabilities.version,
            base=capabilities.base.model_dump(),
            adapter_sha256=trained.adapter_sha256,
            seed=seed,
        )
        put_in_place(kept, request.out, label)
    if console.as_json:
        console.document({"outputs": rows, "seed": seed, "out": str(request.out), "seconds": round(seconds, 3)})
    else:
        show.whole([request.out / row[name] for row in rows for name in ("file", "picture") if name in row])
        console.note(f"{len(rows)} in {request.out}, seed {seed}, {seconds:.1f} s")


class _Show:
    """Streams a single text to the terminal as it is written; several, and other kinds, are shown when done."""

    def __init__(self, console: Console, capabilities: Capabilities, samples: int) -> None:
        self._console = console
        self._text = capabilities.output_kind == "text"
        self._streams = self._text and samples == 1 and not console.as_json and sys.stdout.isatty()
        self._streamed = False

    def __call__(self, news: Preview | Progress) -> None:
        if isinstance(news, Progress):
            if self._streams:
                self._console.check()
            else:
                self._console.progress(news)
        elif self._streams:
            self._console.check()
            sys.stdout.write(printable(str(news.payload.get("append", ""))))
            sys.stdout.flush()
            self._streamed = True

    def end(self) -> None:
        self._console.finish()
        if self._streamed:
            self._console.say()

    def whole(self, files: list[Path]) -> None:
        """What was made, for a person, unless it was shown already."""
        if self._streamed:
            return
        for path in files:
            if self._text and len(files) > 1:
                self._console.say(f"— {path.name} —")
            self._console.say(printable(path.read_text(encoding="utf-8")) if self._text else str(path))


def printable(text: str) -> str:
    """A text without the control characters by which it could command a terminal."""
    return "".join(c for c in text if c in "\n\t" or c.isprintable())


def _brief(path: Path) -> dict[str, Any]:
    data = read_json(Path("/dev/stdin") if str(path) == "-" else path)
    if not isinstance(data, dict):
        raise BadInput("A brief must be one object.", where=str(path), remedy="Write {“subject”: …}.")
    return data


def _guardrails(trained: Label, request: GenerateRequest) -> Guardrails:
    """Those the model was trained with, and those of this request."""
    more = read_guardrails(request.guardrails) if request.guardrails else Guardrails()
    return Guardrails(
        subjects_refused=(*trained.guardrails.subjects_refused, *more.subjects_refused),
        words_never=(*trained.guardrails.words_never, *more.words_never),
    )


def _keep(output: Output, run: Path, kept: Path, capabilities: Capabilities) -> dict[str, Any]:
    name = f"sample-{output.sample + 1}{Path(output.file.path).suffix}"
    (run / output.file.path).replace(kept / name)
    row = {
        "file": name,
        "sha256": output.file.sha256,
        "seed": output.seed,
        "extent": output.extent,
        "unit": capabilities.extent_unit,
        "finish": output.finish,
    }
    if capabilities.output_kind == "image":
        row["told"] = str(output.reduced.get("told", ""))
    if capabilities.output_kind == "text":
        row["text_excerpt"] = (kept / name).read_text(encoding="utf-8")[:_EXCERPT]
    return row


def _draw(rows: list[dict[str, Any]], engine: str, kept: Path, runtime: Runtime, capabilities: Capabilities) -> None:
    """Lay a PNG beside each master, where the engine delivers PNG and the master is none itself."""
    if all(form.name != "png" for form in capabilities.formats):
        return
    for row in rows:
        name = Path(row["file"]).with_suffix(".png").name
        if name == row["file"]:
            continue
        with tempfile.TemporaryDirectory(prefix="png-", dir=kept.parent) as folder:
            made = runtime.export(engine, kept / row["file"], "png", Path(folder))
            (Path(folder) / made.path).replace(kept / name)
        row["picture"] = name
