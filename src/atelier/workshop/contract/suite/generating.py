"""Tests of generation and of what becomes of a master."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from atelier.workshop.contract.engine import Engine
from atelier.workshop.contract.errors import (
    BriefInvalid,
    Refused,
    WorkshopError,
)
from atelier.workshop.contract.specs import (
    Capabilities,
    Guardrails,
    Preview,
    Progress,
)

from .means import Made, Means, assert_steady, assert_stops, assert_survives_json
from .watching import writes_outside


class Generating(Means):
    """Generation, guardrails and export."""

    # Generation -------------------------------------------------------------------------------------------------

    def test_the_same_seed_makes_the_same_and_another_seed_another(self, make: Callable[..., Made]) -> None:
        one, two = make(seeds=(1, 2, 1)), make(seeds=(1,))
        first, second, third = one.masters()
        assert first == third == two.masters()[0]
        assert first != second
        assert [output.seed for output in one.outputs] == [1, 2, 1]
        assert [output.sample for output in one.outputs] == [0, 1, 2]

    def test_output_does_not_depend_on_who_else_is_served(self, make: Callable[..., Made]) -> None:
        alone = [make(seeds=(seed,)).masters() for seed in range(4)]
        with ThreadPoolExecutor(4) as threads:
            together = list(threads.map(lambda seed: make(seeds=(seed,)).masters(), range(4)))
        assert together == alone

    def test_generation_progress_never_goes_back_and_ends_at_planned(self, make: Callable[..., Made]) -> None:
        assert_steady([n for n in make(seeds=(1, 2)).news if isinstance(n, Progress)])

    @pytest.mark.parametrize("reveal", [0.0, 0.3, 1.0])
    def test_previews_stream_and_never_pass_the_reveal(self, make: Callable[..., Made], reveal: float) -> None:
        made = make(seeds=(1, 2), reveal=reveal)
        for sample in range(2):
            parts = [n for n in made.news if isinstance(n, Preview) and n.sample == sample]
            assert self.visible_share(made, sample) <= reveal
            if reveal == 1:
                assert len(parts) > 1
                assert self.visible_share(made, sample) == 1

    def test_outputs_name_their_files(self, make: Callable[..., Made]) -> None:
        made = make()
        for output, raw in zip(made.outputs, made.masters(), strict=True):
            assert_survives_json(output)
            assert (output.file.bytes, output.file.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
            assert output.extent > 0

    def test_generation_stops_when_the_client_left(self, make: Callable[..., Made]) -> None:
        before = make().masters()
        assert_stops(lambda emit: make(emit=emit, seeds=(1, 2)))
        assert make().masters() == before

    def test_generation_writes_nothing_outside_the_workspace(
        self, engine: Engine, make: Callable[..., Made], cache_folders: list[Path], tmp_path_factory: Any
    ) -> None:
        with writes_outside([tmp_path_factory.getbasetemp(), *cache_folders]) as strays:
            make()
        assert strays == []

    def test_a_wrong_brief_is_refused_by_field(
        self, make: Callable[..., Made], brief: dict[str, Any], capabilities: Capabilities
    ) -> None:
        wrong: list[tuple[str, dict[str, Any]]] = [("no_such_field", {**brief, "no_such_field": "x"})]
        wrong += [(name, {**brief, name: {"not": ["a", "value"]}}) for name in capabilities.brief_schema["properties"]]
        for name in capabilities.brief_schema.get("required", ()):
            wrong.append((name, {k: v for k, v in brief.items() if k != name}))
        for field_name, asked in wrong:
            with pytest.raises(BriefInvalid) as caught:
                make(brief=asked)
            assert caught.value.where == field_name
            assert caught.value.message

    def test_refused_subjects_are_refused(self, make: Callable[..., Made], brief: dict[str, Any]) -> None:
        subject = next(w for v in brief.values() if isinstance(v, str) for w in v.split() if len(w) > 4 and w.isalpha())
        with pytest.raises(Refused) as caught:
            make(guardrails=Guardrails(subjects_refused=(subject,)))
        assert subject.casefold() in str(caught.value).casefold()

    def test_words_never_used_are_not_written(self, make: Callable[..., Made], brief: dict[str, Any]) -> None:
        asked = {word for value in brief.values() for word in self.words_of(str(value).encode())}
        free = make(seeds=(1, 2, 3)).masters()
        counts = Counter(w for raw in free for w in self.words_of(raw) if len(w) > 2 and w not in asked)
        assert counts, "the outputs hold no word that a guardrail could forbid"
        common = {word for word, _ in counts.most_common(3)}
        guarded = make(seeds=(1, 2, 3), guardrails=Guardrails(words_never=tuple(sorted(common))))
        assert not common & {word for raw in guarded.masters() for word in self.words_of(raw)}

    # Masters ----------------------------------------------------------------------------------------------------

    def test_every_format_can_be_exported(
        self, engine: Engine, capabilities: Capabilities, make: Callable[..., Made], tmp_path: Path
    ) -> None:
        made = make()
        master = made.workspace / made.outputs[0].file.path
        for form in capabilities.formats:
            workspace = tmp_path / form.name
            workspace.mkdir()
            with writes_outside([workspace]) as strays:
                file = engine.export(master, form.name, workspace)
            raw = (workspace / file.path).read_bytes()
            assert raw
            assert (file.bytes, file.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
            assert file.media_type == form.media_type
            assert Path(file.path).suffix == form.suffix
            assert strays == []

    def test_an_unknown_format_is_refused(self, engine: Engine, make: Callable[..., Made], tmp_path: Path) -> None:
        made = make()
        with pytest.raises(WorkshopError) as caught:
            engine.export(made.workspace / made.outputs[0].file.path, "no-such-format", tmp_path)
        assert caught.value.remedy
        assert list(tmp_path.iterdir()) == []
