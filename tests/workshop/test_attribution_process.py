"""Which works shaped an output is told in a process of its own, and its failures come out as named errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from atelier.workshop.contract import TrainSpec, Untold
from atelier.workshop.contract.fake import FakeEngine
from atelier.workshop.runtime.local import LocalRuntime


def test_the_answer_is_that_of_the_engine_here(
    runtime: LocalRuntime, training: Callable[..., TrainSpec], tmp_path: Path
) -> None:
    trained = FakeEngine().train(training(), tmp_path, lambda _: None)
    adapter = tmp_path / trained.adapter_dir
    output = Path(training().works[0].path)
    found = runtime.attribute("fake", adapter, output, {"subject": "a bakery"})
    assert found == FakeEngine().attribute(adapter, output, {"subject": "a bakery"})
    assert found.shares
    (adapter / "works.json").unlink()
    with pytest.raises(Untold) as caught:
        runtime.attribute("fake", adapter, output, {"subject": "a bakery"})
    assert caught.value.remedy
