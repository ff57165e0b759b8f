"""Opens the network that serves on this machine's device."""

from __future__ import annotations

from typing import cast

from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.device import device

from .native.decoder import Decoder


def network(base: Base, *, slots: int, length: int, threads: int, tokens: int = 256) -> Decoder:
    """The network in C on a processor, the one in PyTorch on a card with CUDA; both have the same methods.

    Errors: EngineUnavailable when the device that was asked for is not here.
    """
    if device() == "cpu":
        return Decoder(base, slots=slots, length=length, threads=threads, tokens=tokens)
    from .cuda import TorchDecoder

    return cast(Decoder, TorchDecoder(base, slots=slots, length=length, tokens=tokens))
