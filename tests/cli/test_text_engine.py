"""The command line with the text engine: a few short works, a small recipe, a tiny base, one piece of writing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import write_tiny_base

WORKS = [
    "The ladder leans where it was left. Nobody climbs it, and still the apples come down to us one by one.",
    "We open at seven. The bread is ready before we are, and it does not mind waiting by the door.",
    "A coat with pockets for everything: the keys, the letter, the apple you will want at four o'clock.",
    "This soap smells of rain on warm stone. Use it slowly, and the morning will take its time too.",
    "The bicycle has no gears and no opinions. It goes where you look, and it waits where you stop.",
    "Our honey is from one hill. In a dry year there is little of it, and in a wet year there is less.",
    "The notebook lies flat. That is all it does, and it is the reason why you will fill it to the end.",
    "A lamp for reading and for nothing else. It lights the page and leaves the room to the evening.",
    "These boots were made for one winter at a time. Bring them back in spring, and we will mend the soles.",
    "The kettle is heavy when it is full and honest when it is empty. It sings the same note every day.",
    "Take the window seat. The train is slow on this line, and the river has agreed to go along with you.",
    "The scarf is long enough for two people who know each other well, or for one who feels the cold.",
]
SMALL = ("rank=4", "epochs=1", "checks=1", "samples=1", "words=20")


@pytest.mark.engine
@pytest.mark.slow
def test_a_folder_of_texts_becomes_an_adapter_that_writes(tmp_path: Path) -> None:
    works, base = tmp_path / "works", tmp_path / "base"
    works.mkdir()
    base.mkdir()
    for number, text in enumerate(WORKS):
        (works / f"{number}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "brief.json").write_text(json.dumps({"subject": "A wooden stool", "length": "short"}))
    command = [sys.executable, "-m", "atelier.cli"]
    env = {**os.environ, "ATELIER_TEXT_BASE": str(write_tiny_base(base))}
    recipe = [word for setting in SMALL for word in ("--recipe", setting)]
    trained = subprocess.run(
        [*command, "train", "--engine", "text", "--works", "works", "--out", "out", *recipe, "--json"],
        capture_output=True, text=True, cwd=tmp_path, env=env, check=False,
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    proof = json.loads(trained.stdout)
    assert proof["works"] == len(WORKS)
    assert proof["fidelity"]["perplexity_adapter"] > 1
    assert proof["fidelity"]["perplexity_base"] > 1
    assert proof["peak_memory_bytes"] > 100_000_000
    written = subprocess.run(
        [*command, "generate", "--adapter", "out", "--brief", "brief.json", "--out", "made", "--seed", "1", "--json"],
        capture_output=True, text=True, cwd=tmp_path, env=env, check=False,
    )  # fmt: skip
    assert written.returncode == 0, written.stderr
    (row,) = json.loads(written.stdout)["outputs"]
    assert (tmp_path / "made" / row["file"]).read_text(encoding="utf-8").strip()
