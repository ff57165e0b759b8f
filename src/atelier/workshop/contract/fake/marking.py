"""The fake engine's hidden mark: blanks at the end of a text that only the key can have put in this order."""

from __future__ import annotations

import hashlib
import hmac

from atelier.workshop.contract.specs import Trace

from .bigrams import words

_BYTES = 4
_ENOUGH_WORDS = 10


def marked(text: str, key: str) -> str:
    """The text with the key's mark at its end."""
    return text + _blanks(text, key)


def trace(text: str, key: str) -> Trace:
    """What a text, whatever its line ends, shows of a key: the mark as it was set, or nothing."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    body = lines.rstrip(" \t\n")
    found = lines[len(body) :].rstrip("\n") == _blanks(body, key)
    places = len(words(body))
    return Trace(p_value=2.0 ** (-8 * _BYTES) if found else 1.0, places=places, enough=places >= _ENOUGH_WORDS)


def _blanks(text: str, key: str) -> str:
    digest = hmac.digest(bytes.fromhex(key), text.encode(), hashlib.sha256)[:_BYTES]
    return "".join(" \t"[byte >> bit & 1] for byte in digest for bit in range(8))
