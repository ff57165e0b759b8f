"""`atelier bench`: sections that run one after another, told as tables or as one document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from atelier import cli
from atelier.workshop.commands.bench import USUAL, BenchRequest, bench
from atelier.workshop.commands.console import BadInput, Console


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Benchmarks that measure nothing: serving says what it was given, marks has rows, and briefs breaks."""
    made = tmp_path / "benchmarks"
    made.mkdir()
    (made / "serving.py").write_text(
        "import json, sys\n"
        "print('round 1', file=sys.stderr)\n"
        "print(json.dumps({'ratios': {'16': 5.5}, 'ratios_sampled': {}, 'goals': [], 'given': sys.argv[1:]}))\n"
    )
    (made / "serving_table.py").write_text("def lines(document):\n    return [f\"ratio {document['ratios']['16']}\"]\n")
    (made / "marks.py").write_text(
        "import json\nprint(json.dumps({'rows': [{'tokens': 50, 'found': 0.25}, {'tokens': 100, 'found': 1.0}]}))\n"
    )
    (made / "briefs.py").write_text("import sys\nsys.exit('no model here')\n")
    return made


def test_the_document_has_the_ratios_on_top_and_every_section_by_name(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = BenchRequest(("serving", "marks"), peers=("llamacpp=/p",), prepare=True, rounds=2, tokens=8, quick=True)
    assert bench(request, Console(as_json=True), folder)
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["ratios"] == {"16": 5.5}
    assert document["marks"]["rows"][1] == {"tokens": 100, "found": 1.0}
    assert document["failed"] == {}
    given = ["--json", "--quick", "--peer", "llamacpp=/p", "--prepare", "--rounds", "2", "--tokens", "8"]
    assert document["serving"]["given"] == given


def test_tables_are_shown_while_the_document_goes_to_a_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench(BenchRequest(("serving", "marks"), file=tmp_path / "found.json"), Console(as_json=False), folder)
    shown = capsys.readouterr()
    assert "ratio 5.5" in shown.out
    assert "tokens  found" in shown.out
    assert "   100      1" in shown.out
    assert "round 1" in shown.err
    assert json.loads((tmp_path / "found.json").read_text())["ratios"] == {"16": 5.5}


def test_a_section_that_breaks_is_named_with_its_reason_and_the_others_still_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not bench(BenchRequest(("briefs", "adapters", "marks")), Console(as_json=True), folder)
    document = json.loads(capsys.readouterr().out)
    assert "no model here" in document["failed"]["briefs"]
    assert "adapters.py is not among" in document["failed"]["adapters"]
    assert document["marks"]["rows"]


def test_an_unknown_section_and_a_missing_checkout_are_said_before_anything_runs(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no section “speed”"):
        bench(BenchRequest(("speed",)), Console(as_json=True), folder)
    with pytest.raises(BadInput, match="benchmarks are not here"):
        bench(BenchRequest(), Console(as_json=True), tmp_path)


def test_a_sections_own_peer_is_named_like_the_others_or_found_where_it_was_prepared(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "cache"))
    script = "import json, sys\nprint(json.dumps({'given': sys.argv[1:]}))\n"
    (folder / "training_race.py").write_text(script)
    (folder / "attribution.py").write_text(script)

    def given(*peers: str) -> dict[str, Any]:
        assert bench(BenchRequest(("training", "attribution", "serving"), peers), Console(as_json=True), folder)
        document = json.loads(capsys.readouterr().out)
        return {name: document[name]["given"][1:] for name in ("training", "attribution", "serving")}

    kept = ["--keep", str(tmp_path / "cache" / "bench" / "attribution")]
    assert given() == {"training": [], "attribution": kept, "serving": []}
    prepared = tmp_path / "cache" / "bench" / "trl" / "bin" / "python"
    prepared.parent.mkdir(parents=True)
    prepared.touch()
    assert given()["training"] == ["--peer", str(prepared)]
    assert given("trl=/named", "vllm_cpu=/v") == {
        "training": ["--peer", "/named"],
        "attribution": kept,
        "serving": ["--peer", "vllm_cpu=/v"],
    }


def test_the_command_line_takes_a_document_with_and_without_a_file() -> None:
    parse = cli._parser().parse_args
    assert parse(["bench", "text"]).json is False
    assert parse(["bench", "text", "--json"]).json is True
    assert parse(["bench", "text", "--json", "found.json"]).json == "found.json"


def test_the_design_engine_has_sections_of_its_own(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "design.py").write_text("import json, sys\nprint(json.dumps({'given': sys.argv[1:]}))\n")
    assert USUAL["design"] == ("pieces",)
    request = BenchRequest(USUAL["design"], peers=("cairosvg=/p",), rounds=2, tokens=8, quick=True, works=tmp_path)
    assert bench(request, Console(as_json=True), folder)
    document = json.loads(capsys.readouterr().out)
    given = ["--json", "--quick", "--peer", "/p", "--rounds", "2", "--works", str(tmp_path)]
    assert document["pieces"]["given"] == given
