"""Graphic design in a creator's own hand: learned from their works, composed by search, editable as SVG."""

from .engine import DesignEngine

__all__ = ["DesignEngine"]
