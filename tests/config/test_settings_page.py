"""docs/settings.md lists every setting that the code reads, with its usual value, and none that is gone."""

from __future__ import annotations

import ast
import re
from pathlib import Path

NAME = re.compile(r"(?<![A-Z_])(?:ATELIER_[A-Z][A-Z_]*[A-Z]|DATABASE_URL)\b")
ROW = re.compile(r"^\| `(\w+)` \|(.*?)\| .+ \|$", re.MULTILINE)
# What processes of one site tell each other, and what tests do.
NO_SETTING = {"ATELIER_SUPERVISED", "ATELIER_TEST_ROOT"}


def rows(root: Path) -> dict[str, str]:
    """Usual values by name, as the page says."""
    return {name: usual.strip() for name, usual in ROW.findall((root / "docs/settings.md").read_text("utf-8"))}


def sources(root: Path) -> list[Path]:
    code = [path for path in (root / "src").rglob("*.py") if "tests" not in path.parts]
    scripts = [path for path in (root / "bin").rglob("*") if path.suffix in {"", ".py", ".sh"} and path.is_file()]
    return code + scripts


def usual_values(settings: Path) -> dict[str, str]:
    """The defaults that Django's settings name literally, by the name of the setting."""
    found = {}
    for call in ast.walk(ast.parse(settings.read_text("utf-8"))):
        if isinstance(call, ast.Call) and len(call.args) == 2 and ast.unparse(call.func) in {"os.environ.get", "_flag"}:
            name, usual = call.args
            if isinstance(name, ast.Constant) and isinstance(usual, ast.Constant):
                found[name.value] = usual.value
    return found


def test_every_setting_of_the_code_is_on_the_page_and_none_that_is_gone(repo_root: Path) -> None:
    read = {name for path in sources(repo_root) for name in NAME.findall(path.read_text("utf-8"))} - NO_SETTING
    told = set(rows(repo_root))
    assert read - told == set(), "not on the page"
    assert told - read == set(), "on the page, and nothing reads it"


def test_usual_values_are_those_of_the_code(repo_root: Path) -> None:
    told, usual = rows(repo_root), usual_values(repo_root / "src/atelier/config/settings.py")
    assert usual["ATELIER_FEE_BASIS_POINTS"] == "1000"
    for name, value in usual.items():
        assert (f"`{value}`" in told[name]) if value else not told[name], name
