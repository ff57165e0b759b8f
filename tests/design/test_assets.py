"""Rules of the house for styles, scripts and templates."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template.loader import get_template

SOURCE = Path(__file__).parents[2] / "src" / "atelier"
STATIC = SOURCE / "market" / "static" / "atelier"
TEMPLATES = sorted(SOURCE.glob("**/templates/**/*.html"))
# Directions that turn with the language are named inline and block.
PHYSICAL = re.compile(
    r"(?<![\w-])(?:margin|padding|border|inset)-(?:left|right|top|bottom)\b|text-align:\s*(?:left|right)\b"
)


def test_own_styles_and_scripts_stay_far_under_a_hundred_kilobytes() -> None:
    sizes = {path.name: path.stat().st_size for path in STATIC.glob("*") if path.suffix in {".css", ".js", ".svg"}}
    assert sum(sizes.values()) < 68_000, sizes


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.css")), ids=lambda path: path.name)
def test_styles_use_logical_directions_and_layers_only(path: Path) -> None:
    text = path.read_text()
    assert "@layer" in text
    assert not PHYSICAL.findall(text)
    assert text.count("{") == text.count("}")


def test_every_token_that_is_used_is_named() -> None:
    text = "".join(path.read_text() for path in STATIC.glob("*.css"))
    assert set(re.findall(r"var\((--[\w-]+)", text)) <= set(re.findall(r"(--[\w-]+):", text))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_templates_compile_and_carry_no_inline_style_or_script(path: Path) -> None:
    get_template(str(path).rpartition("/templates/")[2])
    text = path.read_text()
    assert not re.search(r"\sstyle\s*=|<style|\son\w+\s*=\s*[\"']", text)
    for attributes in re.findall(r"<script([^>]*)>", text):
        assert "src=" in attributes or "application/json" in attributes


def test_every_icon_that_is_asked_for_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    asked = {name for path in TEMPLATES for name in re.findall(r'{% icon "([\w-]+)" %}', path.read_text())}
    assert asked <= drawn
    assert asked
