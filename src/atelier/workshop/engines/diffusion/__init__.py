"""Pictures from a diffusion base that this installation names, in the manner of the works it was trained on."""

from .engine import DiffusionEngine

__all__ = ["DiffusionEngine"]
