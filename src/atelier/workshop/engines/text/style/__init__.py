"""Tells whose manner a text is in: this creator's, or another writer's and the base's."""

from .judge import StyleJudge

__all__ = ["StyleJudge"]
