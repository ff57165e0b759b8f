"""What the contract's tests share: the fixtures an engine provides, those made from them, and common claims."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from atelier.workshop.contract.engine import Engine, Hand
from atelier.workshop.contract.errors import (
    Cancelled,
)
from atelier.workshop.contract.specs import (
    Capabilities,
    GenerateSpec,
    Guardrails,
    Inspection,
    Output,
    Preview,
    Progress,
    Spec,
    TrainResult,
    TrainSpec,
    Upload,
    WorkFile,
)

from .watching import writes_outside

STOP_SECONDS = 2.0
SEED = 7
GUARDRAILS = Guardrails(subjects_refused=("gambling",), words_never=("jackpot",))
"""Set in training, so that the proof of safety has something to count."""


@dataclass
class Trained:
    """One finished training, the news it gave and the files it wrote where it must not."""

    workspace: Path
    result: TrainResult
    news: list[Progress]
    strays: list[str]

    @property
    def adapter(self) -> Path:
        return self.workspace / self.result.adapter_dir


@dataclass
class Made:
    """One finished generation and the news it gave."""

    workspace: Path
    outputs: list[Output]
    news: list[Preview | Progress] = field(default_factory=list)

    def masters(self) -> list[bytes]:
        return [(self.workspace / output.file.path).read_bytes() for output in self.outputs]


def upload_of(path: Path) -> Upload:
    """A file as if a person had sent it."""
    raw = path.read_bytes()
    return Upload(path=str(path), filename=path.name, sha256=hashlib.sha256(raw).hexdigest(), bytes=len(raw))


class Means:
    """Fixtures and helpers. An engine's own tests override those of the first block."""

    # What an engine's own tests provide ------------------------------------------------------------------------

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Engine:
        raise NotImplementedError("override the fixture `engine`")

    @pytest.fixture(scope="class")
    @classmethod
    def good_uploads(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
        """Files that hold enough works to train on."""
        raise NotImplementedError("override the fixture `good_uploads`")

    @pytest.fixture(scope="class")
    @classmethod
    def bad_uploads(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
        """Files of which nothing can be used: empty, binary, wrong kind, too large, cut off."""
        raise NotImplementedError("override the fixture `bad_uploads`")

    @pytest.fixture(scope="class")
    @classmethod
    def brief(cls) -> dict[str, Any]:
        """A brief that the engine accepts, with a word of five letters or more in a text field."""
        raise NotImplementedError("override the fixture `brief`")

    @pytest.fixture(scope="class")
    @classmethod
    def recipe(cls) -> dict[str, float | int | str | bool]:
        """Settings that make training as short as it can be."""
        return {}

    @pytest.fixture(scope="class")
    @classmethod
    def cache_folders(cls) -> list[Path]:
        """The engine's own cache, the one place outside the workspace where it may write."""
        return []

    def visible_share(self, made: Made, sample: int) -> float:
        """How much of a master its previews showed, 0 to 1. Kinds other than text override this."""
        master = made.masters()[sample].decode()
        shown = "".join(n.payload["append"] for n in made.news if isinstance(n, Preview) and n.sample == sample)
        assert master.startswith(shown), "previews must be the opening of the master"
        return len(shown) / len(master)

    def words_of(self, master: bytes) -> list[str]:
        """The words a guardrail may forbid, as they stand in a master. Kinds other than text override this."""
        text = "".join(c if c.isalpha() else " " for c in master.decode().casefold())
        return text.split()

    # Shared means -----------------------------------------------------------------------------------------------

    @pytest.fixture(scope="class")
    @classmethod
    def capabilities(cls, engine: Engine) -> Capabilities:
        return engine.capabilities()

    @pytest.fixture(scope="class")
    @classmethod
    def inspections(
        cls, engine: Engine, good_uploads: list[Path], tmp_path_factory: pytest.TempPathFactory
    ) -> list[tuple[Path, Inspection]]:
        found = []
        for path in good_uploads:
            workspace = tmp_path_factory.mktemp("inspect")
            found.append((workspace, engine.inspect(upload_of(path), workspace)))
        return found

    @pytest.fixture(scope="class")
    @classmethod
    def works(cls, inspections: list[tuple[Path, Inspection]]) -> tuple[WorkFile, ...]:
        pieces = [(workspace, piece) for workspace, found in inspections for piece in found.pieces]
        return tuple(
            WorkFile(
                id=f"work-{number}",
                path=str(workspace / piece.file),
                sha256=piece.sha256,
                title=piece.title,
                tags=piece.tags,
                description=piece.description,
                language=piece.language,
            )
            for number, (workspace, piece) in enumerate(pieces)
        )

    @pytest.fixture(scope="class")
    @classmethod
    def spec(cls, works: tuple[WorkFile, ...], recipe: dict[str, float | int | str | bool]) -> TrainSpec:
        dataset = hashlib.sha256("".join(work.sha256 for work in works).encode()).hexdigest()
        return TrainSpec(works=works, dataset_sha256=dataset, seed=SEED, recipe=recipe, guardrails=GUARDRAILS)

    @pytest.fixture(scope="class")
    @classmethod
    def trained(
        cls, engine: Engine, spec: TrainSpec, cache_folders: list[Path], tmp_path_factory: pytest.TempPathFactory
    ) -> Trained:
        workspace = tmp_path_factory.mktemp("train")
        news: list[Progress] = []
        with writes_outside([workspace, *cache_folders]) as strays:
            result = engine.train(spec, workspace, news.append)
        return Trained(workspace, result, news, strays)

    @pytest.fixture(scope="class")
    @classmethod
    def hand(cls, engine: Engine, trained: Trained) -> Hand:
        return engine.load(trained.adapter)

    @pytest.fixture(scope="class")
    @classmethod
    def make(
        cls, engine: Engine, hand: Hand, brief: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
    ) -> Callable[..., Made]:
        """Generates into a workspace of its own; keywords change the request."""

        def make(emit: Callable[[Preview | Progress], None] | None = None, **changes: Any) -> Made:
            workspace = tmp_path_factory.mktemp("make")
            asked = {"request_id": "r", "adapter_sha256": hand.adapter_sha256, "brief": brief, "seeds": (SEED,)}
            made = Made(workspace, [])
            request = GenerateSpec(**{**asked, **changes})
            made.outputs = engine.generate(hand, request, workspace, emit or made.news.append)
            return made

        return make


def assert_survives_json(spec: Spec) -> None:
    """A value that went through JSON is the value it was."""
    assert type(spec).model_validate_json(spec.model_dump_json()) == spec
    assert type(spec).model_validate(json.loads(json.dumps(spec.model_dump(mode="json")))) == spec


def assert_steady(news: list[Progress]) -> None:
    """Progress came more than once, never went back, and ended at what was planned."""
    shares = [n.done / n.planned for n in news]
    assert len(shares) > 1
    assert all(earlier <= later for earlier, later in itertools.pairwise(shares))
    assert all(0 <= share <= 1 for share in shares)
    assert shares[-1] == 1


def assert_stops(run: Callable[[Callable[[Any], None]], object]) -> None:
    """Asked to stop right after its first step, a job raises Cancelled within two seconds."""
    asked: list[float] = []

    def news(item: Any) -> None:
        if asked:
            raise Cancelled
        if isinstance(item, Preview) or item.done:
            asked.append(time.monotonic())

    with pytest.raises(Cancelled):
        run(news)
    assert time.monotonic() - asked[0] <= STOP_SECONDS
