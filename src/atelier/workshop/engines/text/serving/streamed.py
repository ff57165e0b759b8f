"""A text that a server elsewhere writes: it comes in pieces, and the rules of drafts hold for it."""

from __future__ import annotations

import re

from atelier.workshop.contract import EngineUnavailable

from .drafts import Draft, Task

CUTS_MAX = 24
"""How often a text is written on from before a word that must not be, until it ends with what it had."""

_PARTS = re.compile(r"\s*\S+|\s+")


class Streamed(Draft):
    """Grows by what a server says instead of by logits. What it cannot take back from the server it cuts away: when
    `cuts` has grown and there is no `finish`, the text is to be written on from where `text` ends now."""

    def __init__(self, task: Task, seed: int) -> None:
        super().__init__(task, seed)
        self.seed = seed
        self.cuts = 0

    def grow(self, piece: str, finish: str | None) -> str:
        """Take a piece, and with the last of them why it is the last (“stop”, “length”); returns what may be shown now
        beyond what was shown before. Errors: EngineUnavailable when nothing was ever said."""
        self.steps += 1
        for part in _PARTS.findall(piece):
            self.text = (self.text + part).lstrip()
            if self._cut(self._offence(over=False)):
                return self._news()
        if finish is not None and not self._cut(self._offence(over=True)):
            self._end(finish)
        return self._news()

    def _cut(self, start: int | None) -> bool:
        """Take away what begins there; whether there was anything to take away."""
        if start is None:
            return False
        self.cuts += 1
        self.text = self.text[:start].rstrip()
        if self.cuts > CUTS_MAX:
            self._finish("length")
        return True

    def _end(self, finish: str) -> None:
        if any(sign.isalnum() for sign in self.text):
            self._finish("complete" if finish == "stop" else "length")
        elif self.cuts == CUTS_MAX:
            raise EngineUnavailable("The server that writes gave no words.", remedy="Ask again, or see to the server.")
        else:
            self._cut(self._shown)
