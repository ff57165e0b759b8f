"""What this installation says about the engine: variables of the environment that begin with ATELIER_DIFFUSION_."""

from __future__ import annotations

import os

from atelier.workshop.contract import EngineUnavailable

BASE = "ATELIER_DIFFUSION_BASE"
COMMAND = "pip install 'atelier[diffusion]'"
"""What installs the libraries; torch is there already."""
GUIDANCE = 7.0
LIBRARIES = ("torch", "diffusers", "peft", "transformers")
FETCH = "python -m atelier.workshop.engines.diffusion"


def base_chosen() -> str:
    """A folder, or a base of the hub; empty where this installation has not set the engine up."""
    return os.environ.get("ATELIER_DIFFUSION_BASE", "")


def variant() -> str:
    """Which of a base's weights are read where it has several, such as `fp16`; usually those without a name."""
    return os.environ.get("ATELIER_DIFFUSION_VARIANT", "")


def device() -> str:
    """`cuda` where torch finds a card, else `cpu`; or what ATELIER_DIFFUSION_DEVICE says.

    Errors: EngineUnavailable for another word, or for CUDA where there is none.
    """
    chosen = os.environ.get("ATELIER_DIFFUSION_DEVICE", "") or "auto"
    if chosen not in ("auto", "cpu", "cuda"):
        raise EngineUnavailable(
            f"ATELIER_DIFFUSION_DEVICE is “{chosen}”.", remedy="Set it to auto, cpu or cuda, or unset it."
        )
    import torch

    there = torch.cuda.is_available()
    if chosen == "cuda" and not there:
        raise EngineUnavailable(
            "ATELIER_DIFFUSION_DEVICE is “cuda”, but torch finds no such device here.",
            remedy="Install a driver and a torch made for CUDA, or set ATELIER_DIFFUSION_DEVICE to “cpu”.",
        )
    return "cuda" if there and chosen != "cpu" else "cpu"


def steps() -> int:
    """In how many steps a picture is made for a buyer."""
    return _number("ATELIER_DIFFUSION_STEPS", 30)


def guidance() -> float:
    """How closely the brief is followed (Ho & Salimans 2022, https://arxiv.org/abs/2207.12598)."""
    try:
        chosen = float(os.environ.get("ATELIER_DIFFUSION_GUIDANCE", ""))
    except ValueError:
        return GUIDANCE
    return chosen if 1 <= chosen <= 30 else GUIDANCE


def adapters_most() -> int:
    """How many creators' adapters stay on the device at once."""
    return _number("ATELIER_DIFFUSION_ADAPTERS", 16)


def waiting_most() -> int:
    """How many pictures may wait before a request is turned away."""
    return _number("ATELIER_DIFFUSION_WAITING", 32)


def sliced() -> bool:
    """Whether attention is computed in slices: slower, in less memory."""
    return os.environ.get("ATELIER_DIFFUSION_SLICED", "").lower() in ("1", "true", "yes", "on")


def check_libraries() -> None:
    """Errors: EngineUnavailable naming those that are missing, and the command that installs them."""
    if lacking := libraries_lacking():
        raise EngineUnavailable(f"{', '.join(lacking)} must be installed.", remedy=f"Run: {COMMAND}")


def libraries_lacking() -> list[str]:
    """Those of the libraries that are not installed, found without importing any."""
    from importlib.util import find_spec

    return [name for name in LIBRARIES if find_spec(name) is None]


def _number(name: str, usual: int) -> int:
    chosen = os.environ.get(name, "")
    return int(chosen) if chosen.isdigit() and int(chosen) > 0 else usual
