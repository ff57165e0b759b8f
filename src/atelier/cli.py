"""`atelier …`: the workshop without the market, and the site.

Exit codes: 0 done; 1 internal error; 2 wrong usage; 3 an input cannot be used (named, with the remedy); 4 too few
works; 5 refused by a guardrail; 130 interrupted.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
import traceback
from importlib.metadata import version
from pathlib import Path

from atelier.workshop.commands.console import Console
from atelier.workshop.contract import Busy, Cancelled, Refused, TooFewWorks, WorkshopError

DONE, INTERNAL, USAGE, BAD_INPUT, TOO_FEW, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130


def main(argv: list[str] | None = None) -> int:
    """Run one command and give its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments[:1] == ["up"]:
        return _up(arguments[1:])
    if arguments[:1] == ["manage"]:
        return _manage(arguments[1:])
    options = _parser().parse_args(arguments)
    console = Console(as_json=options.json is True)
    try:
        with console.interruptible():
            return _run(options, console)
    except (Cancelled, KeyboardInterrupt):
        console.error(Cancelled("Interrupted; nothing was written."))
        return INTERRUPTED
    except WorkshopError as error:
        console.error(error)
        return _code(error)
    except BrokenPipeError:
        # Whoever read the output has seen enough; keep the interpreter from complaining when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERNAL
    except OSError as error:
        remedy = "Free some space, then run it again." if error.errno == errno.ENOSPC else ""
        console.error(WorkshopError(f"{error.strerror or error}.", where=str(error.filename or ""), remedy=remedy))
        return INTERNAL
    except Exception as error:
        traceback.print_exc()
        console.error(
            WorkshopError(f"An error inside Atelier: {error!r}.", remedy="Please report it with the lines above.")
        )
        return INTERNAL


def _code(error: WorkshopError) -> int:
    from atelier.workshop.runtime.local import TrainCrashed

    if isinstance(error, TooFewWorks):
        return TOO_FEW
    if isinstance(error, Refused):
        return REFUSED
    return INTERNAL if isinstance(error, TrainCrashed | Busy) else BAD_INPUT


def _run(options: argparse.Namespace, console: Console) -> int:
    """Do what the options say and give the exit code. Imports late, so that `--help` and mistakes answer at once."""
    from atelier.workshop.commands import bench, generate, look, train, verify
    from atelier.workshop.runtime.local import LocalRuntime

    if options.command == "engines":
        look.list_engines(console)
        return DONE
    if options.command == "bench":
        file = None if isinstance(options.json, bool) else Path(options.json)
        only = tuple(options.only.split(",")) if options.only else bench.USUAL[options.engine]
        numbers = (options.prepare, options.rounds, options.tokens, options.quick)
        request = bench.BenchRequest(only, tuple(options.peer), *numbers, file, options.works)
        return DONE if bench.bench(request, console) else INTERNAL
    runtime = LocalRuntime()
    try:
        if options.command == "train":
            fields: tuple[str, ...] = ("engine", "works", "out", "seed", "category", "guardrails", "force")
            given = {name: getattr(options, name) for name in fields}
            train.train(train.TrainRequest(**given, recipe=tuple(options.recipe)), runtime, console)
        elif options.command == "generate":
            fields = ("adapter", "brief", "out", "seed", "samples", "guardrails", "mark_key", "force")
            given = {name: getattr(options, name) for name in fields}
            generate.generate(generate.GenerateRequest(**given), runtime, console)
        elif options.command == "verify":
            asked = verify.VerifyRequest(options.file, tuple(options.key), options.engine, options.site)
            verify.verify(asked, runtime, console)
        elif not look.inspect_files(options.engine, options.files, runtime, console):
            return BAD_INPUT
        return DONE
    finally:
        runtime.close()


def _up(arguments: list[str]) -> int:
    from atelier.supervisor.main import main as up

    return up(arguments)


def _manage(arguments: list[str]) -> int:
    """Django's commands on the site whose folder `--data` names (default: the checkout's), or on DATABASE_URL."""
    from django.core.management import execute_from_command_line

    from atelier.supervisor.arguments import default_data
    from atelier.supervisor.attach import environment_of
    from atelier.supervisor.errors import SupervisorError

    data = Path(os.environ.get("ATELIER_DATA") or default_data())
    if arguments[:1] == ["--data"] and len(arguments) > 1:
        data, arguments = Path(arguments[1]), arguments[2:]
    if not os.environ.get("DATABASE_URL"):
        try:
            os.environ.update(environment_of(data.expanduser().absolute()))
        except SupervisorError as error:
            sys.stderr.write(f"{error.message} {error.remedy}\n")
            return BAD_INPUT
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atelier.config.settings")
    execute_from_command_line(["atelier manage", *arguments])
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="atelier", description="Learn a style from works, and make new things in it.", epilog=__doc__
    )
    parser.add_argument("--version", action="version", version=f"atelier {version('atelier')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _workshop_commands(commands)
    commands.add_parser("up", help="start the site: database, web and worker (see `atelier up --help`)")
    commands.add_parser("manage", help="run a management command of the site (see `atelier manage help`)")
    return parser


def _workshop_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    engines = commands.add_parser("engines", help="list the engines of this installation")
    train = commands.add_parser("train", help="learn an adapter from a folder of works")
    train.add_argument("--engine", default="text", help="which engine learns (default: text)")
    train.add_argument("--works", type=Path, required=True, metavar="FOLDER", help="files, and optionally works.json")
    train.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the adapter goes")
    train.add_argument("--seed", type=_seed, default=0, metavar="N", help="the same seed learns the same (default: 0)")
    train.add_argument("--category", default="", metavar="SLUG", help="the craft, as `atelier engines` names it")
    train.add_argument("--recipe", action="append", default=[], metavar="NAME=VALUE", help="override a setting")
    generate = commands.add_parser("generate", help="make pieces with an adapter")
    generate.add_argument("--adapter", type=Path, required=True, metavar="FOLDER", help="a folder that train wrote")
    generate.add_argument("--brief", type=Path, required=True, metavar="FILE", help="the brief as JSON; - reads input")
    generate.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the pieces go")
    generate.add_argument("--seed", type=_seed, metavar="N", help="the same seed makes the same (default: drawn)")
    generate.add_argument("--samples", type=int, default=1, metavar="N", help="how many pieces (default: 1)")
    key_help = "a file with a mark key in hexadecimal"
    generate.add_argument("--mark-key", type=Path, metavar="FILE", help=f"hide a mark in the pieces: {key_help}")
    for command in (train, generate):
        command.add_argument("--guardrails", type=Path, metavar="FILE", help="JSON: subjects_refused, words_never")
        command.add_argument("--force", action="store_true", help="replace an earlier result in --out")
    inspect = commands.add_parser("inspect", help="say what an engine finds in files")
    inspect.add_argument("--engine", default="text", help="which engine reads (default: text)")
    inspect.add_argument("files", type=Path, nargs="+", metavar="FILE")
    verify = commands.add_parser("verify", help="say whether a file was made here: by its hash, or by a hidden mark")
    verify.add_argument("file", type=Path, metavar="FILE")
    verify.add_argument("--site", default=_site(), metavar="URL", help="the site to ask (default: %(default)s)")
    verify.add_argument(
        "--key", action="append", type=Path, default=[], metavar="FILE", help=f"look for this mark here: {key_help}"
    )
    verify.add_argument("--engine", default="text", help="with --key, whose marks (default: text)")
    _bench_command(commands)
    for command in (engines, train, generate, inspect, verify):
        command.add_argument("--json", action="store_true", help="one JSON document on standard output")


def _bench_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from atelier.workshop.commands.bench import SECTIONS, USUAL

    sections = "; ".join(f"{name} ({section.engine}): {section.what}" for name, section in SECTIONS.items())
    bench = commands.add_parser("bench", help="measure an engine, beside its peers (in a checkout)", epilog=sections)
    bench.add_argument("engine", choices=sorted(USUAL), help="which engine")
    usual = "; ".join(f"{','.join(only)} for {engine}" for engine, only in USUAL.items())
    bench.add_argument("--only", metavar="NAMES", help=f"sections (default: {usual})")
    bench.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON", help="an interpreter for a peer")
    bench.add_argument("--prepare", action="store_true", help="install missing peers in the cache folder: minutes each")
    bench.add_argument("--rounds", type=int, metavar="N", help="rounds of serving, or of pieces (default: 3, or 5)")
    bench.add_argument("--tokens", type=int, metavar="N", help="of each text in serving (default: 48)")
    bench.add_argument("--works", type=Path, metavar="FOLDER", help="SVG to measure pieces with (default: openclipart)")
    bench.add_argument("--quick", action="store_true", help="less of everything")
    document_help = "one JSON document on standard output, or beside the tables in a file"
    bench.add_argument("--json", nargs="?", default=False, const=True, metavar="FILE", help=document_help)


def _site() -> str:
    """The address of this machine's site, as `atelier up` has it."""
    return os.environ.get("ATELIER_SITE_URL") or f"http://localhost:{os.environ.get('ATELIER_PORT') or 8000}"


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 1 << 62:
        raise argparse.ArgumentTypeError(f"“{text}” must be a whole number from 0 to {(1 << 62) - 1}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
