"""Where engines run. The market talks to `Runtime` only; which machine does the work is a setting."""

from .base import Runtime, runtime

__all__ = ["Runtime", "runtime"]
