"""The fake engine keeps the whole contract, and its knobs do what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from atelier.workshop.contract import Engine, Progress, TrainSpec, Upload, WorkshopError
from atelier.workshop.contract.fake import FakeEngine
from atelier.workshop.contract.suite import EngineContract, upload_of

TEXTS = [
    "The lamp stands by the window. It burns all night, and the moths know it by name.",
    "Bread is patience. You wait, you fold, you wait again, and the house smells of morning.",
    "The kettle sings before the birds do. Two cups, no sugar, and the whole day still unspent.",
    "A chair is a promise. Sit down, it says, and the work will wait for you by the window.",
    "Rope, canvas, brass. The bag was made for rain, and the rain was made for the bag.",
    "The map shows no roads. You fold it, you wait, and the road comes to you in the morning.",
    "Ink is slow on purpose. It wants you to know what the line is before you draw it.",
    "Wool remembers the hill. Put it on, and the wind that made it will know you by name.",
    "The clock is loud in the small room. It says that the day is long, and it is wrong again.",
    "Salt, stone, and one good knife. The soup makes itself, and the window turns white.",
]


class TestFakeEngine(EngineContract):
    """All of the contract's tests."""

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Engine:
        return FakeEngine()

    @pytest.fixture(scope="class")
    @classmethod
    def good_uploads(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
        folder = tmp_path_factory.mktemp("good")
        (folder / "first.txt").write_text(TEXTS[0], encoding="utf-8")
        (folder / "windows.txt").write_bytes(b"\xef\xbb\xbf# A heading\r\n\r\n" + TEXTS[1].encode())
        (folder / "many.md").write_text("\n---\n".join(TEXTS[2:6]), encoding="utf-8")
        entries = [{"text": text, "title": f"Piece {n}", "tags": ["home"]} for n, text in enumerate(TEXTS[6:])]
        (folder / "pieces.json").write_text(json.dumps(entries), encoding="utf-8")
        return sorted(folder.iterdir())

    @pytest.fixture(scope="class")
    @classmethod
    def bad_uploads(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
        folder = tmp_path_factory.mktemp("bad")
        (folder / "empty.txt").write_bytes(b"")
        (folder / "blank.txt").write_bytes(b" \n\t\n---\n ... \n")
        (folder / "binary.txt").write_bytes(bytes(range(256)))
        (folder / "nul.txt").write_bytes(b"text with a \0 in it")
        (folder / "latin.txt").write_bytes("é".encode("latin-1"))
        (folder / "picture.png").write_bytes(b"\x89PNG\r\n")
        (folder / "broken.json").write_text('[{"text": "cut')
        (folder / "deep.json").write_text("[" * 100_000)
        (folder / "wrong.json").write_text('[{"body": "no text here"}]')
        (folder / "huge.txt").write_bytes(b"word " * 500_000)
        return sorted(folder.iterdir())

    @pytest.fixture(scope="class")
    @classmethod
    def brief(cls) -> dict[str, Any]:
        return {"subject": "A kitchen stool", "format": "paragraph", "length": 30}


def spec_of(workspace: Path, **recipe: float) -> TrainSpec:
    path = workspace / "works.json"
    path.write_text(json.dumps([{"text": text} for text in TEXTS]), encoding="utf-8")
    found = FakeEngine().inspect(upload_of(path), workspace)
    works = [
        {"id": piece.file, "path": str(workspace / piece.file), "sha256": piece.sha256, "title": piece.title}
        for piece in found.pieces
    ]
    return TrainSpec.model_validate({"works": works, "dataset_sha256": "0" * 64, "recipe": recipe})


def test_training_takes_the_planned_steps_and_fails_where_told(tmp_path: Path) -> None:
    news: list[Progress] = []
    with pytest.raises(RuntimeError, match="step 3"):
        FakeEngine().train(spec_of(tmp_path, steps=5, fail_at=3), tmp_path, news.append)
    assert {n.planned for n in news} == {6}
    assert news[-1].done == 2


def test_an_unknown_setting_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(WorkshopError) as caught:
        FakeEngine().train(spec_of(tmp_path, stepps=5), tmp_path, lambda _: None)
    assert caught.value.where == "stepps"
    assert not (tmp_path / "adapter").exists()


def test_held_out_works_grow_likelier_and_the_order_of_works_does_not_matter(tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = FakeEngine().train(spec, tmp_path / "a", lambda _: None)
    two = FakeEngine().train(spec.model_copy(update={"works": spec.works[::-1]}), tmp_path / "b", lambda _: None)
    assert one.adapter_sha256 == two.adapter_sha256
    proof = one.evaluation.flat()["fidelity"]
    assert 1 < proof["perplexity_adapter"] < proof["perplexity_base"]


def test_a_hostile_name_does_not_leave_the_workspace(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("Some words.", encoding="utf-8")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    upload = Upload(path=str(source), filename="../../..\\..\\etc/evil\n.txt", sha256="0" * 64, bytes=11)
    found = FakeEngine().inspect(upload, workspace)
    assert [path.name for path in workspace.iterdir()] == [found.pieces[0].file]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "workspace"]


def test_near_copies_share_a_band_and_strangers_are_unlike(tmp_path: Path) -> None:
    long = " ".join(TEXTS)
    near = long.replace("moths", "cats")
    marks = []
    for number, text in enumerate((long, near, " ".join(reversed(long.split())))):
        (tmp_path / f"{number}.txt").write_text(text, encoding="utf-8")
        piece = FakeEngine().inspect(upload_of(tmp_path / f"{number}.txt"), tmp_path).pieces[0]
        marks.append(piece.fingerprints[1])
    engine = FakeEngine()
    assert engine.similarity(marks[0], marks[1]) >= engine.capabilities().near_duplicate_at
    assert set(marks[0].bands) & set(marks[1].bands)
    assert engine.similarity(marks[0], marks[2]) < 0.2
