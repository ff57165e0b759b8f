"""The engine is offered where its base and its libraries are; what is missing is named with what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from atelier.workshop.contract import EngineUnavailable, registry
from atelier.workshop.engines.diffusion import DiffusionEngine, settings
from atelier.workshop.engines.diffusion.__main__ import main
from atelier.workshop.engines.diffusion.base import PARTS, base, wanted, weights

pytestmark = pytest.mark.engine


@pytest.fixture(autouse=True)
def fresh_registry() -> Iterator[None]:
    registry._loaded.cache_clear()
    yield
    registry._loaded.cache_clear()


@pytest.fixture
def copy(tiny_diffusion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base of this test's own, to be spoilt."""
    folder = tmp_path / "base"
    shutil.copytree(tiny_diffusion, folder)
    monkeypatch.setenv("ATELIER_DIFFUSION_BASE", str(folder))
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "cache"))
    return folder


def test_it_is_not_offered_where_no_base_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATELIER_DIFFUSION_BASE", raising=False)
    assert "diffusion" not in registry.engines()
    assert "text" in registry.engines()
    with pytest.raises(EngineUnavailable) as caught:
        registry.engine("diffusion")
    assert "ATELIER_DIFFUSION_BASE" in caught.value.remedy


def test_it_is_offered_where_one_is(copy: Path) -> None:
    offered = registry.engine("diffusion").capabilities()
    assert "graphic-design" in {category.slug for category in offered.categories}
    assert offered.base.name == "base"
    assert offered.base.licence == "cc0-1.0"
    assert offered.base.parameters > 100_000


def test_without_its_libraries_it_names_the_command_that_installs_them(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LIBRARIES", ("torch", "no_such_library"))
    with pytest.raises(EngineUnavailable, match="no_such_library") as caught:
        DiffusionEngine().load(tmp_path)
    assert "atelier[diffusion]" in caught.value.remedy
    assert "diffusion" not in registry.engines()


def test_a_base_of_the_hub_is_fetched_by_a_command_and_never_by_a_page(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ATELIER_DIFFUSION_BASE", "house/pictures")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "python -m atelier.workshop.engines.diffusion" in DiffusionEngine().missing()
    assert main() == 1
    assert "house/pictures" in capsys.readouterr().err


def test_the_command_says_what_it_found(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    assert base().sha256 in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "change", "told"),
    [
        ("vae/config.json", {"block_out_channels": None}, "how large"),
        ("model_index.json", {"_class_name": "FluxPipeline"}, "FluxPipeline"),
        ("unet/config.json", {"in_channels": 9}, "painting over"),
    ],
)
def test_bases_of_other_kinds_are_refused(copy: Path, file: str, change: dict[str, object], told: str) -> None:
    path = copy / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert told in DiffusionEngine().missing()


def test_pickles_are_never_read(copy: Path) -> None:
    (copy / "unet/diffusion_pytorch_model.safetensors").rename(copy / "unet/diffusion_pytorch_model.bin")
    assert "no safetensors" in DiffusionEngine().missing()
    assert not any("bin" in pattern for pattern in wanted(""))


def test_of_several_variants_one_is_read(copy: Path) -> None:
    for part in PARTS[:3]:
        (found,) = weights(copy / part, "")
        shutil.copy(found, found.with_name(found.name.replace(".safetensors", ".fp16.safetensors")))
        assert [path.name.count("fp16") for path in weights(copy / part, "")] == [0]
        assert [path.name.count("fp16") for path in weights(copy / part, "fp16")] == [1]


def test_other_weights_are_another_base(copy: Path) -> None:
    before = base().sha256
    path = copy / "unet/diffusion_pytorch_model.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    shutil.copytree(copy, copy.with_name("other"))
    other = copy.with_name("other") / "unet/diffusion_pytorch_model.safetensors"
    other.write_bytes(bytes(raw))
    from atelier.workshop.engines.diffusion.base import _open

    assert _open(copy.with_name("other"), "x", "y", "", copy.parent / "cache").sha256 != before
