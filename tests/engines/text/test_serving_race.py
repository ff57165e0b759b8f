"""The race of servers: what its figures count, and that its peers write the same texts for the same creators."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def module(repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a file of benchmarks/ or benchmarks/peers/ as it is when run."""
    for folder in ("benchmarks", "benchmarks/peers"):
        monkeypatch.syspath_prepend(str(repo_root / folder))

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    return load


class Counting:
    """A server that gives each of its requests the next number, and reads one prompt a step."""

    settings, together = "", True

    def __init__(self) -> None:
        self.texts: dict[int, int] = {}
        self.ended: list[int] = []
        self.clock = 0.0

    def begin(self, number: int, prompt: list[int], adapter: int, tokens: int, sampled: bool) -> None:
        self.texts[number] = prompt[0]

    def step(self, wait: float) -> list[tuple[int, int, float]]:
        found = []
        for number in self.texts:
            self.texts[number] += 1
            found.append((number, self.texts[number], self.clock))
        return found

    def end(self, number: int) -> None:
        del self.texts[number]
        self.ended.append(number)


def test_a_task_is_over_when_every_text_has_its_tokens(module: Any) -> None:
    server = Counting()
    asked = [{"prompt": [10], "adapter": 0, "at": 0.0}, {"prompt": [20], "adapter": 1, "at": 0.0}]
    task = {"asked": asked, "tokens": 3, "sampled": False, "seconds": 60, "patience": 60}
    answer = module("protocol").run(server, task)
    assert answer["tokens"] == [[11, 12, 13], [21, 22, 23]]
    assert sorted(server.ended) == [0, 1]


def test_what_does_not_begin_within_patience_is_given_up(module: Any) -> None:
    class Silent(Counting):
        def step(self, wait: float) -> list[tuple[int, int, float]]:
            return []

    server = Silent()
    task = {"asked": [{"prompt": [1], "adapter": 0, "at": 0.0}], "tokens": 3, "sampled": False}
    answer = module("protocol").run(server, {**task, "seconds": 60, "patience": 0.01})
    assert answer["tokens"] == [[]]
    assert server.ended == [0]


def test_a_rate_counts_only_the_time_in_which_all_are_being_written(module: Any) -> None:
    protocol = module("protocol")
    early, late = [0.0, 1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 5.0, 6.0]
    assert protocol.rate([early, late], True, 5, 6.0) == pytest.approx(2.0)  # from 2 to 4: two tokens each
    assert protocol.rate([early, late[:3]], True, 9, 8.0) == pytest.approx(4 / 6)  # given up at 8
    assert protocol.rate([[0.0, 1.0], []], True, 2, 9.0) == 0.0
    assert protocol.rate([[0.0, 1.0], [8.0, 8.5, 9.0], []], False, 3, 9.0) == pytest.approx(3 / 2)


def test_who_had_not_begun_counts_as_having_waited_until_the_end(module: Any) -> None:
    protocol = module("protocol")
    assert protocol.firsts([[1.5], []], [{"at": 1.0}, {"at": 2.0}], 10.0) == [0.5, 8.0]
    assert protocol.pauses([[1.0, 1.5, 3.0], []]) == [0.5, 1.5]
    assert protocol.percentile([4.0], 95) == 4.0
    assert protocol.percentile([float(n) for n in range(101)], 95) == pytest.approx(95.0)


def test_arrivals_come_at_the_same_moments_each_time_and_as_often_as_asked(module: Any, tiny_base: Any) -> None:
    serving = module("serving")
    first, again = (serving.arrivals(tiny_base, 200, 4.0) for _ in range(2))
    assert first == again
    assert first[0]["at"] == 0.0
    assert 40 < first[-1]["at"] < 60
    assert len({tuple(one["prompt"]) for one in first}) == 200


def test_ratios_are_to_the_best_peer_and_goals_say_whether_they_are_met(module: Any) -> None:
    serving = module("serving")
    rows = [
        {"server": server, "requests": 16, "drawn": "greedy", "rate": rate, "of_limit": rate / 1000}
        for server, rate in (("ours", 500.0), ("llamacpp", 80.0), ("vllm_cpu", 125.0))
    ]
    found, best = serving.ratios(rows, "greedy")
    assert (found, best) == ({"16": 4.0}, {"16": "vllm_cpu"})
    assert serving.ratios(rows[:1], "greedy") == ({}, {})
    told = serving.goals({"ratios": found, "rows": rows})
    assert [(each["wanted"], each["measured"], each["met"]) for each in told] == [(5.0, 4.0, False), (0.6, 0.5, False)]


def test_agreement_is_how_far_texts_are_the_same(module: Any) -> None:
    assert module("serving").agreement([[1, 2, 3, 4], [5, 6]], [[1, 2, 9, 4], [5, 6]]) == pytest.approx(4 / 6)


def test_a_step_reads_the_base_once_and_each_adapter_and_past(module: Any, tiny_base: Any) -> None:
    limits = module("limits")
    one, two = (limits.step_bytes(tiny_base, texts, past=100, adapter=1000) for texts in (1, 2))
    assert two - one == 1000 + 2 * 2 * 2 * 1 * 16 * 100  # keys and values of 2 layers, 1 head of 16, 2 bytes each
    assert limits.step_products(tiny_base, 2, 100, 16) == 2 * limits.step_products(tiny_base, 1, 100, 16)
    # 2 layers of q, k, v, o (3,072), gate, up, down (6,144) with adapters of 16 (8,192), the head, and the past.
    assert limits.step_products(tiny_base, 1, 100, 16) == 2 * (3072 + 6144 + 8192) + 258 * 32 + 2 * 2 * 2 * 16 * 100


def test_an_interpreter_is_the_chosen_one_or_the_named_one_or_the_prepared_one(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    racers = module("racers")
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path))
    monkeypatch.delenv("ATELIER_BENCH_LLAMACPP", raising=False)
    assert racers.interpreter("ours", {}) == sys.executable
    assert racers.interpreter("llamacpp", {}) is None
    (tmp_path / "bench" / "llamacpp").mkdir(parents=True)
    assert racers.interpreter("llamacpp", {}) is None
    (tmp_path / "bench" / "llamacpp" / "ready").touch()
    assert racers.interpreter("llamacpp", {}) == str(tmp_path / "bench" / "llamacpp" / "bin" / "python")
    monkeypatch.setenv("ATELIER_BENCH_LLAMACPP", "/named")
    assert racers.interpreter("llamacpp", {}) == "/named"
    assert racers.interpreter("llamacpp", {"llamacpp": "/chosen"}) == "/chosen"


def test_a_server_that_cannot_start_is_left_out_with_its_last_words(module: Any, tmp_path: Path) -> None:
    racers = module("racers")
    racer = racers.Racer("ours", sys.executable, {"threads": 1, "adapters": [str(tmp_path / "none")]})
    try:
        with pytest.raises(racers.Fell, match="none"):
            racer.start(120)
    finally:
        racer.close()


@pytest.mark.slow
def test_peers_write_what_we_write_and_every_figure_is_told(tiny_base: Any, repo_root: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    command = [
        sys.executable, "benchmarks/serving.py", "--quick", "--only", "ours", "peft_one", "peft_mixed", "llamacpp",
        "--requests", "1", "3", "--tokens", "6", "--load", "20", "--arrivals", "4",
        "--json", str(tmp_path / "found.json"),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=repo_root, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert {(r["server"], r["requests"], r["drawn"]) for r in found["rows"]} == {
        (server, count, drawn)
        for server in ("ours", "peft_one", "peft_mixed")
        for count in (1, 3)
        for drawn in ("greedy", "sampled")
    }
    assert all(row["rate"] > 0 for row in found["rows"])
    assert [(row["begun"], row["done"]) for row in found["load"]] == [(4, 4)] * 3
    assert set(found["ratios"]) == set(found["ratios_sampled"]) == {"1", "3"}
    assert "bundled base only" in found["missing"]["llamacpp"]
    servers = found["servers"]
    # Random weights lead to near ties, which rounding decides; by chance it would be one in 258.
    assert min(servers[name]["same_as_ours"] for name in ("peft_one", "peft_mixed")) > 0.1
    assert "times the best peer" in done.stdout
    assert "not in it: llamacpp" in done.stdout
