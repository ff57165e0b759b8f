"""Text: copywriting, marketing and other short prose, by LoRA on a small language model shared by many creators."""

from .engine import TextEngine

__all__ = ["TextEngine"]
