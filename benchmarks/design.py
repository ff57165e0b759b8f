"""The design engine on this machine: previews, masters, learning, and its renderer beside others.

    .venv/bin/python benchmarks/design.py [--rounds 5] [--only previews masters learning renderers] [--json]
    .venv/bin/python benchmarks/design.py --prepare FOLDER             # an environment with CairoSVG, once
    .venv/bin/python benchmarks/design.py --peer FOLDER/bin/python     # then CairoSVG is measured too

Each part runs in a process of its own, whose highest resident memory (VmHWM) is told; times are of processors and leave
out what other programs do, but for learning, where the clock is told beside them. A figure is the median over rounds,
with the lowest and the highest round.

previews    on one core: a request for four posts of 1080 px, from brief to the first picture, to the fourth in full
            (720 px, as WebP; masters are written on the way), and what each step takes alone, from which the time
            until all four are there in small (360 px) is summed; each round has other seeds
masters     on one core: posters on A3 from the file that was kept to PDF with bleed and to PNG, reading included
learning    on two cores, --works-count works with the proof of the version, after they were taken in
renderers   the same files as PNG with a longer side of 1080 px, from bytes to bytes, in one process each: the engine's
            reading with Skia, resvg, and CairoSVG where it is there; the share of files in which something is drawn,
            and how many of them look as resvg draws them (64 px a side on white, under 2 % apart on the mean);
            resvg looks for fonts only where there are words

Works come from --works FOLDER (any folder of SVG), else from Debian's openclipart-svg where it can be had (public
domain, the designer with the most works), else they are the demo's sixty. Previews and masters are the demo designers'.
"""

from __future__ import annotations

import argparse
import base64
import functools
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PARTS = ("previews", "masters", "learning", "renderers")
PINNED = ("CairoSVG==2.9.1", "pillow", "numpy")
SHOWN, LEARNED = "four small pictures, from the brief", "learning with proof, by the clock"
GOALS = {SHOWN: 0.3, "four pictures in full": 0.3, "poster as PDF": 1.0, "poster as PNG": 1.0, LEARNED: 60.0}
"""Seconds; learning's is for `WORKS` works on two cores."""
WORKS = 200
SIDE, SMALL, ALIKE = 1080, 64, 0.02
SECONDS_A_FILE = 20
POSTS: tuple[dict[str, str], ...] = (
    {"headline": "Two scoops for one on Sunday", "text": "Every flavour, all afternoon", "subject": "ice cream"},
    {"headline": "Open late", "text": "New books", "date": "5 to 7 July", "place": "Quay 3", "subject": "book"},
    {"headline": "Morning coffee is on us", "subject": "coffee"},
    {"headline": "Plant something", "text": "Seeds for small balconies", "action": "Order now", "subject": "flower"},
)  # fmt: skip
POSTER = {
    "kind": "poster", "headline": "Summer by the harbour", "text": "Music, boats and good bread", "date": "5 to 7 July",
    "place": "Fishermen’s Quay", "subject": "boat",
}  # fmt: skip
SMALL_STEPS = ("reading the brief", "composing four", "four small pictures")
Rounds = dict[str, list[float]]


def memory() -> float | None:
    """The most megabytes that this process has had at once; None where the kernel does not tell."""
    try:
        told = Path("/proc/self/status").read_text("utf-8")
    except OSError:
        return None
    return next((int(line.split()[1]) / 1000 for line in told.splitlines() if line.startswith("VmHWM:")), None)


def on_cores(count: int) -> None:
    """Keep this process to so many of the processors that it may use."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-count:])


def seconds(deed: Callable[[], object]) -> float:
    """Seconds of processors."""
    begin = time.process_time()
    deed()
    return time.process_time() - begin


# Previews and masters ---------------------------------------------------------------------------------------------


def hands() -> list[Any]:
    """The demo's two designers, learned, written and loaded as adapters."""
    sys.path.insert(0, str(HERE.parent / "tests" / "support"))
    import design_works

    from atelier.workshop.engines.design import DesignEngine
    from atelier.workshop.engines.design.learning.style import save

    engine, found = DesignEngine(), []
    with tempfile.TemporaryDirectory() as name:
        for handle in (design_works.WILMA, design_works.PIM):
            save(design_works.learned(handle, Path(name) / handle), Path(name) / f"{handle}-adapter")
            found.append(engine.load(Path(name) / f"{handle}-adapter"))
    engine.warm()
    return found


def asked(hand: Any, brief: dict[str, str], seeds: Sequence[int], folder: Path) -> tuple[float, float, list[Path]]:
    """Processor seconds from a brief to the first picture and to the last, and the masters."""
    from atelier.workshop.contract import GenerateSpec, Preview
    from atelier.workshop.engines.design import DesignEngine

    begin, times = time.process_time(), list[float]()

    def emit(news: object) -> None:
        if isinstance(news, Preview):
            times.append(time.process_time() - begin)

    spec = GenerateSpec(request_id="bench", adapter_sha256=hand.adapter_sha256, brief=brief, seeds=tuple(seeds))
    outputs = DesignEngine().generate(hand, spec, folder, emit)
    return times[0], times[-1], [folder / output.file.path for output in outputs]


def steps(hand: Any, brief: dict[str, str], seeds: Sequence[int]) -> dict[str, float]:
    """What the steps of four previews take, one after another."""
    from atelier.workshop.engines.design.briefs import valid
    from atelier.workshop.engines.design.learning.meaning import meaning
    from atelier.workshop.engines.design.making import Order, make
    from atelier.workshop.engines.design.showing import half, shown, webp
    from atelier.workshop.engines.design.writing import svg_of

    begin = time.process_time()
    told = valid(brief)
    subject = meaning(told.subject)
    found = {"reading the brief": time.process_time() - begin}
    begin = time.process_time()
    made = [make(hand.style, Order(told, subject, seed)) for seed in seeds]
    found["composing four"] = time.process_time() - begin
    pieces = [(each.scene, each.plan.kind.sheet) for each in made]
    found["four small pictures"] = seconds(lambda: [webp(half(shown(*piece, 1.0))) for piece in pieces])
    found["four pictures of 720 px"] = seconds(lambda: [webp(shown(*piece, 1.0)) for piece in pieces])
    found["four masters"] = seconds(lambda: [svg_of(*piece) for piece in pieces])
    return found


def previews(rounds: int, _: argparse.Namespace) -> dict[str, Any]:
    """Rounds of requests for posts; a figure is the median over designers and briefs."""
    on_cores(1)
    found: Rounds = {}
    known = hands()
    with tempfile.TemporaryDirectory() as name:
        for number in range(-1, rounds):  # the first round warms up
            row: Rounds = {}
            for hand in known:
                for brief in POSTS:
                    seeds = range(4 * (number + 1), 4 * (number + 2))
                    first, last = asked(hand, {"kind": "post", **brief}, seeds, Path(name))[:2]
                    row.setdefault("first picture", []).append(first)
                    row.setdefault("four pictures in full", []).append(last)
                    taken = steps(hand, {"kind": "post", **brief}, seeds)
                    row.setdefault(SHOWN, []).append(sum(taken[step] for step in SMALL_STEPS))
                    for step, value in taken.items():
                        row.setdefault(f"… {step}", []).append(value)
            for key, values in row.items():
                if number >= 0:
                    found.setdefault(key, []).append(statistics.median(values))
    return {"rows": rows(found)}


def masters(rounds: int, _: argparse.Namespace) -> dict[str, Any]:
    """Rounds of posters in the forms that are sold; a figure is the median over designers and seeds."""
    from atelier.workshop.engines.design.masters import written

    on_cores(1)
    found: Rounds = {}
    with tempfile.TemporaryDirectory() as name:
        posters: list[Path] = []
        for number, hand in enumerate(hands()):
            folder = Path(name) / str(number)
            folder.mkdir()
            posters += asked(hand, POSTER, range(2), folder)[2]
        for number in range(-1, rounds):
            for form, title in (("pdf", "PDF"), ("png", "PNG"), ("png4", "PNG, four times as large")):
                times = [seconds(functools.partial(written, each, form, Path(name))) for each in posters]
                if number >= 0:
                    found.setdefault(f"poster as {title}", []).append(statistics.median(times))
    return {"rows": rows(found)}


# Learning ---------------------------------------------------------------------------------------------------------


def files_of(folder: Path | None, count: int) -> tuple[str, list[Path]]:
    """Where the works are from, and so many of them (or all there are), drawn by chance but always the same."""
    sys.path.insert(0, str(HERE.parent / "tests" / "support"))
    import design_works
    import openclipart

    if folder is not None:
        name, found = folder.name, sorted(folder.rglob("*.svg"))
    else:
        try:
            name, found = next(iter(openclipart.by_author().items()))
            name = f"openclipart, {name}"
        except openclipart.NotThere as error:
            print(error, file=sys.stderr)
            name, found = (
                "the demo",
                [*design_works.files_of(design_works.WILMA), *design_works.files_of(design_works.PIM)],
            )
    return name, random.Random(0).sample(found, len(found))[: count or None]


def learning(rounds: int, words: argparse.Namespace) -> dict[str, Any]:
    """Rounds of learning with proof. Files that the engine refuses are passed over, others taken instead."""
    import design_works

    from atelier.workshop.contract import TrainSpec, WorkFile
    from atelier.workshop.engines.design import DesignEngine

    on_cores(2)
    name, files = files_of(words.works, 0)
    found: Rounds = {}
    with tempfile.TemporaryDirectory() as folder:
        works, tried, begin = list[WorkFile](), 0, time.perf_counter()
        while len(works) < words.works_count and tried < len(files):
            wanted = files[tried : tried + words.works_count - len(works)]
            works += design_works.taken_in(wanted, Path(folder) / str(tried))
            tried += len(wanted)
        taken_in = time.perf_counter() - begin
        works = [work.model_copy(update={"id": str(n)}) for n, work in enumerate(works[: words.works_count])]
        for number in range(rounds):
            spec = TrainSpec(works=tuple(works), dataset_sha256="0" * 64, seed=number)
            place = Path(folder) / f"round-{number}"
            place.mkdir()
            clock, begin = time.perf_counter(), time.process_time()
            result = DesignEngine().train(spec, place, lambda _: None)
            found.setdefault(LEARNED, []).append(time.perf_counter() - clock)
            found.setdefault("learning with proof, of processors", []).append(time.process_time() - begin)
            print(f"round {number + 1} of learning", file=sys.stderr)
    told = {"works": len(works), "from": name, "files": tried, "motifs": result.card["motifs"]}
    table = rows(found)
    if len(works) < WORKS:
        table = [{key: value for key, value in row.items() if key not in ("goal", "kept")} for row in table]
    return {**told, "taken_in_seconds": taken_in, "rows": table}


# Renderers --------------------------------------------------------------------------------------------------------


def with_skia(data: bytes, _: tuple[int, int] | None) -> tuple[bytes, tuple[int, int]]:
    from atelier.workshop.engines.design.drawing import encoded, raster
    from atelier.workshop.engines.design.reading.svg import read_svg

    read = read_svg(data, "")
    canvas = read.scene.canvas
    scale = SIDE / max(canvas.width, canvas.height)
    size = max(1, round(canvas.width * scale)), max(1, round(canvas.height * scale))
    return encoded(raster(read.scene.root, canvas, *size), "PNG"), size


def with_resvg(data: bytes, size: tuple[int, int] | None) -> tuple[bytes, tuple[int, int]]:
    import resvg_py

    size, said = size or (SIDE, SIDE), data.decode("utf-8", "replace")
    wordless = "<text" not in said  # looking for the system's fonts takes it longer than most drawings
    return bytes(resvg_py.svg_to_bytes(said, width=size[0], height=size[1], skip_system_fonts=wordless)), size


def with_cairosvg(data: bytes, size: tuple[int, int] | None) -> tuple[bytes, tuple[int, int]]:
    import cairosvg  # type: ignore[import-not-found, unused-ignore]

    size = size or (SIDE, SIDE)
    return cairosvg.svg2png(bytestring=data, output_width=size[0], output_height=size[1]), size


RENDERERS: dict[str, tuple[str, Callable[[bytes, tuple[int, int] | None], tuple[bytes, tuple[int, int]]]]] = {
    "skia": ("Skia, read by the engine", with_skia),
    "resvg": ("resvg", with_resvg),
    "cairosvg": ("CairoSVG", with_cairosvg),
}


def draw_all(name: str) -> None:
    """Draw the files that standard input names, in this process; write a line of JSON for each, and then the memory."""
    import io
    import signal

    import numpy as np
    from PIL import Image

    def late(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    on_cores(1)
    for path, size in json.load(sys.stdin):
        data, begin = Path(path).read_bytes(), time.process_time()
        signal.alarm(SECONDS_A_FILE)
        try:
            picture, drawn = RENDERERS[name][1](data, tuple(size) if size else None)
        except Exception as error:  # whatever a renderer raises, the file was not drawn
            signal.alarm(0)
            print(json.dumps({"why": f"{type(error).__name__}: {error}"[:200]}), flush=True)
            continue
        signal.alarm(0)
        passed = time.process_time() - begin
        seen = Image.open(io.BytesIO(picture)).convert("RGBA")
        white = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
        small = np.asarray(white.resize((SMALL, SMALL), Image.Resampling.BOX))
        there = bool(np.asarray(seen)[..., 3].any())
        told = {"seconds": passed, "size": drawn, "there": there, "small": base64.b64encode(small.tobytes()).decode()}
        print(json.dumps(told), flush=True)
    print(json.dumps({"memory": memory()}), flush=True)


def drawn_by(name: str, python: str, files: Sequence[tuple[str, Any]]) -> tuple[list[dict[str, Any]], float | None]:
    """What a renderer made of each file, and its memory. A file that ends the process counts as not drawn."""
    left, found, most = list(files), list[dict[str, Any]](), 0.0
    while left:
        command = [python, str(Path(__file__).resolve()), "--child", name]
        done = subprocess.run(command, input=json.dumps(left), stdout=subprocess.PIPE, text=True, check=False)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        if told and "memory" in told[-1]:
            most = max(most, told.pop()["memory"] or 0.0)
        elif len(told) < len(left):
            told.append({"why": f"ended with code {done.returncode}"})
        found, left = [*found, *told], left[len(told) :]
    return found, most or None


def renderers(rounds: int, words: argparse.Namespace) -> dict[str, Any]:
    """A row a renderer; times over the files that all of them draw."""
    import numpy as np

    name, files = files_of(words.works, words.files)
    pythons = {"skia": sys.executable, "resvg": sys.executable, "cairosvg": words.peer or sys.executable}
    left_out, all_rounds, most = {}, dict[str, list[list[dict[str, Any]]]](), dict[str, float | None]()
    for key, python in pythons.items():
        if key != "skia":
            module = {"resvg": "resvg_py"}.get(key, key)
            tried = subprocess.run([python, "-c", f"import {module}"], capture_output=True, text=True, check=False)
            if tried.returncode:
                left_out[key] = (tried.stderr.strip().splitlines() or ["it cannot be imported"])[-1]
                continue
        sizes = [each.get("size") for each in all_rounds["skia"][0]] if key != "skia" else [None] * len(files)
        for number in range(rounds):
            told, memory_most = drawn_by(key, python, [(str(f), size) for f, size in zip(files, sizes, strict=True)])
            all_rounds.setdefault(key, []).append(told)
            most[key] = max(most.get(key) or 0.0, memory_most or 0.0) or None
            print(f"{RENDERERS[key][0]}, round {number + 1}", file=sys.stderr)

    def pixels(each: dict[str, Any]) -> Any:
        return np.frombuffer(base64.b64decode(each["small"]), np.uint8).astype(float) / 255

    drawn = {key: [bool(each.get("there")) for each in told[0]] for key, told in all_rounds.items()}
    by_all = [n for n in range(len(files)) if all(there[n] for there in drawn.values())]
    table = []
    for key, each_round in all_rounds.items():
        medians = [statistics.median(each[n]["seconds"] for n in by_all) for each in each_round]
        sums = [sum(each[n]["seconds"] for n in by_all) for each in each_round]
        both = [n for n in range(len(files)) if drawn[key][n] and drawn.get("resvg", drawn[key])[n]]
        alike = [
            float(np.abs(pixels(each_round[0][n]) - pixels(all_rounds["resvg"][0][n])).mean()) < ALIKE
            for n in both
            if "resvg" in all_rounds
        ]
        table.append(
            {
                "renderer": RENDERERS[key][0], "ms": 1000 * statistics.median(medians), "low": 1000 * min(medians),
                "high": 1000 * max(medians), "all_seconds": statistics.median(sums),
                "drawn": sum(drawn[key]) / len(files), "like_resvg": sum(alike) / len(alike) if alike else None,
                "memory_mb": most[key],
            }
        )  # fmt: skip
    return {"files": len(files), "drawn_by_all": len(by_all), "from": name, "left_out": left_out, "renderers": table}


# All of it --------------------------------------------------------------------------------------------------------


def rows(found: Rounds) -> list[dict[str, Any]]:
    """A row for each figure: median, lowest and highest of its rounds, and whether a goal is kept."""
    told = []
    for name, values in found.items():
        middle, goal = statistics.median(values), GOALS.get(name)
        row = {"figure": name, "seconds": middle, "low": min(values), "high": max(values), "rounds": len(values)}
        told.append({**row, **({"goal": goal, "kept": middle <= goal} if goal else {})})
    return told


def prepare(folder: Path) -> Path:
    """An interpreter that has CairoSVG, made on the first call. It needs the system's cairo."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PINNED], check=True)
    return python


def part(name: str, words: argparse.Namespace, given: Sequence[str]) -> dict[str, Any]:
    """A part of the measurements, from a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), *given, "--part", name]
    print(f"{name} …", file=sys.stderr)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} ended with code {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def show(document: dict[str, Any]) -> None:
    """The tables, for a person."""
    print(f"{document['machine']}, {document['cores']} cores")
    for name in PARTS[:3]:
        told = document.get(name)
        if told is None:
            continue
        more = f", {told['works']} works ({told['from']})" if name == "learning" else ""
        print(f"\n{name}{more}: {told['memory_mb'] or 0:.0f} MB at the most")
        for row in told["rows"]:
            goal = f"  goal {row['goal']:g} s: {'kept' if row['kept'] else 'missed'}" if "goal" in row else ""
            print(f"  {row['figure']:<36}{row['seconds']:>8.3f} s  {row['low']:.3f} to {row['high']:.3f}{goal}")
    told = document.get("renderers")
    if told is None:
        return
    print(f"\nrenderers, {told['files']} files ({told['from']}), {told['drawn_by_all']} of them drawn by all")
    print(f"  {'':<26}{'ms a file':>10}{'rounds':>16}{'all, s':>8}{'drawn':>8}{'like resvg':>12}{'MB':>6}")
    for row in told["renderers"]:
        span, alike = f"{row['low']:.1f} to {row['high']:.1f}", row["like_resvg"]
        print(
            f"  {row['renderer']:<26}{row['ms']:>10.1f}{span:>16}{row['all_seconds']:>8.1f}{row['drawn']:>8.1%}"
            f"{'' if alike is None else f'{alike:.1%}':>12}{row['memory_mb'] or 0:>6.0f}"
        )
    for name, why in told["left_out"].items():
        print(f"  {RENDERERS[name][0]} is left out: {why}")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--works", type=Path, metavar="FOLDER", help="SVG to learn from and to draw")
    parser.add_argument("--works-count", type=int, default=WORKS, help="works to learn from")
    parser.add_argument("--files", type=int, default=200, help="files to draw; 0 for all")
    parser.add_argument("--peer", metavar="PYTHON", help="an interpreter that has CairoSVG")
    parser.add_argument("--prepare", type=Path, metavar="FOLDER", help="make an environment for CairoSVG there")
    parser.add_argument("--quick", action="store_true", help="two rounds of less")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the tables")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--child", choices=list(RENDERERS), help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.child:
        draw_all(words.child)
        return 0
    if words.prepare:
        print(prepare(words.prepare))
        return 0
    if words.quick:
        words.rounds, words.works_count, words.files = 2, min(40, words.works_count), min(40, words.files)
    if words.part:
        measure = {"previews": previews, "masters": masters, "learning": learning, "renderers": renderers}[words.part]
        files_of(words.works, 1)
        found = measure(min(words.rounds, 3) if words.part in ("learning", "renderers") else words.rounds, words)
        print(json.dumps({**found, "memory_mb": memory()}))
        return 0
    document = {"machine": platform.machine(), "cores": len(os.sched_getaffinity(0))}
    given = sys.argv[1:]
    for name in words.only:
        document[name] = part(name, words, given)
    if words.json:
        print(json.dumps(document))
    else:
        show(document)
    return 0


if __name__ == "__main__":
    sys.exit(main())
