"""Atelier: a self-hostable marketplace for creation models trained on a creator's own works."""

__version__ = "0.1.0"
