"""Tests of what an engine offers and how it reads files."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from atelier.workshop.contract.engine import Engine
from atelier.workshop.contract.errors import (
    Unreadable,
)
from atelier.workshop.contract.specs import (
    Capabilities,
    Inspection,
)

from .means import Means, assert_survives_json, upload_of
from .watching import writes_outside

HEAVY = ("torch", "onnxruntime", "transformers", "tensorflow", "skia", "gguf", "tokenizers", "safetensors")


class Reading(Means):
    """Capabilities and inspection."""

    # What it offers ---------------------------------------------------------------------------------------------

    def test_capabilities_are_complete_and_stay_the_same(self, engine: Engine, capabilities: Capabilities) -> None:
        assert capabilities.engine == engine.name
        assert capabilities == engine.capabilities()
        assert capabilities.categories
        assert capabilities.accepts
        assert len({form.name for form in capabilities.formats}) == len(capabilities.formats) > 0
        assert capabilities.brief_schema["type"] == "object"
        assert capabilities.brief_schema["properties"]
        assert all(kind.suffix == kind.suffix.lower() and kind.suffix[0] == "." for kind in capabilities.accepts)
        assert_survives_json(capabilities)

    def test_capabilities_load_no_heavy_library(self, engine: Engine) -> None:
        kind = type(engine)
        script = (
            f"import sys; sys.path[:] = {sys.path!r}\n"
            f"from {kind.__module__} import {kind.__qualname__} as Kind\n"
            "Kind().capabilities()\n"
            f"print([name for name in {HEAVY!r} if name in sys.modules])"
        )
        seen = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert seen.returncode == 0, seen.stderr
        assert seen.stdout.strip() == "[]"

    # Reading ----------------------------------------------------------------------------------------------------

    def test_good_files_become_cleaned_pieces(self, inspections: list[tuple[Path, Inspection]]) -> None:
        for workspace, found in inspections:
            assert found.pieces
            assert_survives_json(found)
            for piece in found.pieces:
                raw = (workspace / piece.file).read_bytes()
                assert (len(raw), hashlib.sha256(raw).hexdigest()) == (piece.bytes, piece.sha256)
                assert piece.title
                assert piece.extent > 0
                assert all(0 <= band < 1 << 63 for mark in piece.fingerprints for band in mark.bands)

    def test_a_piece_is_most_like_itself(self, engine: Engine, inspections: list[tuple[Path, Inspection]]) -> None:
        marks = [mark for _, found in inspections for piece in found.pieces for mark in piece.fingerprints]
        assert marks
        for mark in marks:
            assert engine.similarity(mark, mark) == 1
            others = [other for other in marks if other.scheme == mark.scheme]
            assert all(0 <= engine.similarity(mark, other) <= 1 for other in others)

    def test_bad_files_are_refused_with_a_remedy(
        self, engine: Engine, bad_uploads: list[Path], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        assert bad_uploads
        for path in bad_uploads:
            with pytest.raises(Unreadable) as caught:
                engine.inspect(upload_of(path), tmp_path_factory.mktemp("bad"))
            assert caught.value.message, path.name
            assert caught.value.remedy, path.name

    def test_reading_writes_nothing_outside_the_workspace(
        self, engine: Engine, good_uploads: list[Path], cache_folders: list[Path], tmp_path: Path
    ) -> None:
        with writes_outside([tmp_path, *cache_folders]) as strays:
            engine.inspect(upload_of(good_uploads[0]), tmp_path)
        assert strays == []
