"""A tiny base, chosen as this installation's own, and works in two hands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from drawings import draw
from tiny_diffusion import write_tiny_diffusion

from atelier.workshop.contract import WorkFile
from atelier.workshop.contract.suite import upload_of


@pytest.fixture(scope="session")
def tiny_diffusion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base in the layout of Stable Diffusion, with random weights."""
    pytest.importorskip("diffusers", reason="diffusers is not installed: pip install 'atelier[diffusion]'")
    return write_tiny_diffusion(tmp_path_factory.mktemp("tiny-diffusion"))


@pytest.fixture(scope="class")
def chosen(tiny_diffusion: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The tiny base as this installation's own, few steps a picture, and a cache of these tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATELIER_DIFFUSION_BASE", str(tiny_diffusion))
        patch.setenv("ATELIER_DIFFUSION_DEVICE", "cpu")
        patch.setenv("ATELIER_DIFFUSION_STEPS", "5")
        patch.setenv("ATELIER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield tiny_diffusion


@pytest.fixture
def write_works(tmp_path: Path) -> Callable[..., tuple[WorkFile, ...]]:
    """Drawings as a frozen dataset has them."""

    def write(count: int, hand: str = "round") -> tuple[WorkFile, ...]:
        folder = tmp_path / hand
        folder.mkdir(exist_ok=True)
        works = []
        for number in range(count):
            path = folder / f"{number}.png"
            draw(number, hand).save(path)
            works.append(
                WorkFile(
                    id=f"{hand}-{number}", path=str(path), sha256=upload_of(path).sha256,
                    title=f"Drawing {number}", tags=("circles", "poster"),
                )
            )  # fmt: skip
        return tuple(works)

    return write
