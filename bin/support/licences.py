"""Writes the table of packages in THIRD_PARTY.md from the lock files and what each installed package says of itself."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- packages: written by bin/lock -->", "<!-- end of packages -->"
# Read in the package's own licence file where its metadata is silent or unclear.
READ_BY_HAND = {
    "axe-playwright-python": "MIT; the axe-core it carries: MPL-2.0",
    "fido2": "BSD-2-Clause AND Apache-2.0 AND MPL-2.0",
    "protobuf": "BSD-3-Clause",
    "pyphen": "GPL-2.0-or-later OR LGPL-2.1-or-later OR MPL-1.1; dictionaries: each its own, all free",
    "python-bidi": "LGPL-3.0-or-later",
    "pytest-django": "BSD-3-Clause",
    "qrcode": "BSD-3-Clause",
    "reportlab": "BSD-3-Clause",
    "resvg-py": "MIT; the resvg it carries: Apache-2.0 OR MIT",
    "transformers": "Apache-2.0",
}
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


def locked(name: str) -> dict[str, str]:
    """Packages of a lock file with their versions."""
    lines = (ROOT / "requirements" / f"{name}.lock").read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lines, re.M))


def licence(package: str) -> str:
    """The licence as an SPDX expression where the package gives one. Errors: SystemExit naming a package without."""
    if package in READ_BY_HAND:
        return READ_BY_HAND[package]
    try:
        about = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        raise SystemExit(f"{package} is not installed here, so that its licence cannot be read.") from None
    if expression := about.get("License-Expression"):
        return str(expression)
    classified = [c.rpartition(" :: ")[2] for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    known = [CLASSIFIERS[c] for c in classified if c in CLASSIFIERS]
    written = (about.get("License") or "").strip()
    found = " OR ".join(known) or (written if "\n" not in written else "")
    if not found:
        raise SystemExit(f"{package} does not say its licence: read it and add it to READ_BY_HAND in {__file__}")
    return found


def table() -> str:
    """The rows, those that run the site first."""
    base, dev = locked("base"), locked("dev")
    rows = ["| Package | Version | Licence | Needed to |", "| --- | --- | --- | --- |"]
    rows += [f"| {name} | {version} | {licence(name)} | run |" for name, version in sorted(base.items())]
    rows += [f"| {n} | {v} | {licence(n)} | check |" for n, v in sorted(dev.items()) if n not in base]
    return "\n".join(rows)


def main() -> int:
    """Rewrites the part between the two marks and nothing else."""
    file = ROOT / "THIRD_PARTY.md"
    before, _, rest = file.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    file.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
