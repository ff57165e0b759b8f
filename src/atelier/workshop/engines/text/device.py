"""Which device computes: the processor, or a graphics card with CUDA."""

from __future__ import annotations

import ctypes
import os

from atelier.workshop.contract import EngineUnavailable

CHOICES = ("auto", "cpu", "cuda")


def device() -> str:
    """`cpu` or `cuda`, as `ATELIER_TEXT_DEVICE` says; `auto`, which is usual, takes a card where there is one.

    Errors: EngineUnavailable for another word, or when CUDA is asked for and not to be had.
    """
    chosen = os.environ.get("ATELIER_TEXT_DEVICE") or "auto"
    if chosen not in CHOICES:
        raise EngineUnavailable(
            f"ATELIER_TEXT_DEVICE is “{chosen}”.", remedy=f"Set it to one of {', '.join(CHOICES)}, or unset it."
        )
    if chosen == "cpu" or (chosen == "auto" and not _driver_sees_a_card()):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if chosen == "auto":
        return "cpu"
    raise EngineUnavailable(
        "ATELIER_TEXT_DEVICE is “cuda”, but torch finds no such device here.",
        remedy="Install a driver and a torch made for CUDA, or set ATELIER_TEXT_DEVICE to “cpu”.",
    )


def _driver_sees_a_card() -> bool:
    """Whether NVIDIA's driver is here and has a card. Asked first: serving on a processor needs no torch, whose import
    takes seconds and 200 MB."""
    count = ctypes.c_int(0)
    for name in ("libcuda.so.1", "nvcuda.dll"):
        try:
            driver = ctypes.CDLL(name)
        except OSError:
            continue
        return bool(driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value)
    return False
