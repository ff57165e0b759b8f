"""Sites for journeys. Text works come from the real fables where they lie beside the checkout, else from the demo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from trial.browsing import started_browser
from trial.site import Site

FAKE = "fake=atelier.workshop.contract.fake:FakeEngine"
# Every work is learned from once, and the proof writes less: journeys judge the way, not how much was learned.
RECIPES = json.dumps({"text": {"epochs": 1, "checks": 2, "samples": 4, "words": 60}})


@pytest.fixture(scope="module")
def real_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A whole site with the real engines and an empty market."""
    with Site(tmp_path_factory.mktemp("site"), recipes=RECIPES) as site:
        yield site


@pytest.fixture(scope="module")
def quick_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A whole site that also has the fake engine, which trains in a moment."""
    with Site(tmp_path_factory.mktemp("site"), engines=FAKE) as site:
        yield site


@pytest.fixture(scope="session")
def forty_works(repo_root: Path) -> list[dict[str, Any]]:
    """Forty short works of one author: of the fables the shortest, in the order of the book."""
    fables = repo_root.parent / "shared" / "data" / "aesop_for_children.json"
    if fables.exists():
        found = json.loads(fables.read_text("utf-8"))
        longest = sorted(len(fable["fable"]) for fable in found)[39]
        short = [fable for fable in found if len(fable["fable"]) <= longest][:40]
        return [{"title": f["title"], "description": f["lesson"], "text": f["fable"]} for f in short]
    demo = repo_root / "src" / "atelier" / "config" / "demo" / "works" / "orrin-slate.json"
    kept = ("title", "tags", "description", "text")
    return [{name: work[name] for name in kept} for work in json.loads(demo.read_text("utf-8"))["works"]]


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One Chromium a journey."""
    with started_browser(chromium_path) as started:
        yield started
