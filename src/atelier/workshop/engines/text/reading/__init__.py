"""Reads hostile files of many formats into clean pieces of text."""

from .inspection import inspect

__all__ = ["inspect"]
