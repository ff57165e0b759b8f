"""Reads hostile files of several kinds into scenes."""

from .inspection import inspect

__all__ = ["inspect"]
