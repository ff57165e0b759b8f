"""One text in the making: its tokens, the words it must not use, and how much of it may be shown."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.marks.text import Mark

from .sampling import Sampler, Sampling
from .spelling import BROKEN, Spelling

_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s|$)")
_WORD = re.compile(r"\S+")
_LAST_WORD = re.compile(r"[^\W_]+$")
_REWINDS_MAX = 1000
_SCORES_KEPT = 8


@dataclass(frozen=True)
class Task:
    """What one text is to be. `forbidden` says whether a text holds what must not occur, and needs to be shown no more
    than `window` words at once; the last `hold` words are never shown, since they may be part of it. `target` is the
    least number of words asked for. `mark` is worked into the text where there is one."""

    prompt: tuple[int, ...]
    tokens_max: int
    eos: int
    specials: frozenset[int]
    decode: Callable[[list[int]], str]
    reveal: float = 1.0
    target: int = 0
    forbidden: Callable[[str], bool] | None = None
    hold: int = 1
    window: int = 1
    sampling: Sampling = field(default_factory=Sampling)
    mark: Mark | None = None


class Draft:
    """Grows by one token a step. Depends on its task, its seed and the logits it is given, and on nothing else."""

    def __init__(self, task: Task, seed: int) -> None:
        self.task = task
        self.tokens: list[int] = []
        self.steps = 0
        self.finish: Literal["complete", "length"] | None = None
        self.text = ""
        self._sampler = Sampler(seed, task.sampling, task.mark)
        self._spelling = Spelling(task.decode)
        self._banned: dict[int, set[int]] = {}
        self._rewinds = 0
        self._scores: dict[int, NDArray[np.float32]] = {}
        self._shown = 0

    @property
    def last(self) -> int:
        """The token to be fed next: all others are in the past already."""
        return self.tokens[-1] if self.tokens else self.task.prompt[-1]

    @property
    def past(self) -> int:
        """How many tokens of prompt and text must have been fed before `last`."""
        return len(self.task.prompt) + len(self.tokens) - 1

    def advance(self, logits: NDArray[np.float32]) -> str:
        """Take the next token by its logits, going back to before a word that must not be as often as needed; returns
        what may be shown now beyond what was shown before."""
        self.steps += 1
        if self.task.forbidden is not None:
            self._scores[len(self.tokens)] = logits.copy()
        scores: NDArray[np.float32] | None = logits
        while scores is not None and self._taken(scores):
            # The scores of the last few places are kept, so that a word taken back seldom costs a step.
            scores = self._scores.get(len(self.tokens)) if self.finish is None else None
        self._scores.pop(len(self.tokens) - _SCORES_KEPT, None)
        return self._news()

    def _taken(self, logits: NDArray[np.float32]) -> bool:
        """Take a token; whether a forbidden word was found and cut away, so that another has to be taken."""
        banned = self.task.specials | self._banned.get(len(self.tokens), set())
        if not any(c.isalnum() for c in self.text):
            banned |= {self.task.eos}
        token = self._sampler.choose(logits, self.tokens, banned)
        ended = token == self.task.eos
        if not ended:
            self.tokens.append(token)
            self.text = self._spelling.grown(self.tokens)
        over = ended or len(self.tokens) >= self.task.tokens_max
        if self._rewound(token, over=over):
            return True
        if over:
            self._finish("complete" if ended else "length")
        return False

    def opening(self) -> str:
        """The part of the text that may be shown unpaid. All that was shown is its beginning."""
        return self.text[: self._shown]

    def _decoded(self, count: int) -> str:
        return self.task.decode(self.tokens[:count]).lstrip()

    def _rewound(self, token: int, *, over: bool) -> bool:
        """Whether a forbidden word was found and cut away. A word at the very end counts once the text is over."""
        start = self._offence(over=over)
        if start is None:
            return False
        self._rewinds += 1
        keep = self._token_at(start)
        if len(self._decoded(keep)) < self._shown:
            keep += 1
        if self._rewinds > _REWINDS_MAX:
            self.tokens, self.text = self.tokens[:keep], self.text[:start]
            self._finish("length")
            return True
        banned = self.tokens[keep] if keep < len(self.tokens) else token
        self._banned = {place: tokens for place, tokens in self._banned.items() if place <= keep}
        self._banned.setdefault(keep, set()).add(banned)
        self.tokens = self.tokens[:keep]
        self.text = self._spelling.text(self.tokens)
        return True

    def _offence(self, *, over: bool) -> int | None:
        """Where the last forbidden word begins among the words that are complete, or None."""
        if self.task.forbidden is None:
            return None
        text = self.text if over else _LAST_WORD.sub("", self.text)
        words = list(_WORD.finditer(text))[-self.task.window :]
        if not words or not self.task.forbidden(text[words[0].start() :]):
            return None
        start = next(word.start() for word in reversed(words) if self.task.forbidden(text[word.start() :]))
        return max(start, self._shown)  # what was shown cannot be taken back

    def _token_at(self, character: int) -> int:
        """The index of the token in which that character of the text begins."""
        low, high = 0, len(self.tokens)
        while low < high:
            middle = (low + high) // 2
            if len(self._decoded(middle + 1).rstrip(BROKEN)) > character:
                high = middle
            else:
                low = middle + 1
        return low

    def _finish(self, finish: Literal["complete", "length"]) -> None:
        self.finish = finish
        text = self.text.rstrip(BROKEN).rstrip()
        if finish == "length":
            text = self._trimmed(text)
        self.text = text

    def _trimmed(self, text: str) -> str:
        """Without the unfinished sentence at the end, or the unfinished word where there is no whole sentence that
        is long enough for what was shown already."""
        least = self._least(text)
        ends = [match.end() for match in _SENTENCE_END.finditer(text)]
        if ends and ends[-1] >= max(least, len(text) / 3):
            return text[: ends[-1]]
        spaces = [match.start() for match in re.finditer(r"\s+", text) if match.start() >= least]
        return text[: spaces[-1]].rstrip() if spaces else text

    def _least(self, text: str) -> int:
        """How long the text must stay, so that what was shown stays within the share that may be revealed."""
        if not self._shown:
            return 0
        shown = len(self.text[: self._shown].split())
        ends = [match.end() for match in _WORD.finditer(text)]
        words = min(math.ceil(shown / self.task.reveal - 1e-9), len(ends))
        return max(ends[words - 1], math.ceil(self._shown / self.task.reveal - 1e-9))

    def _news(self) -> str:
        """Whole words that are safe to show: none that may still change, and never more than the share of words and
        of letters that may be revealed of what is certain to be in the finished text."""
        done = self.finish is not None
        ends = self._spelling.ends(self.text)
        sure = len(ends) if done else max(len(ends) - self.task.hold, 0)
        reveal = self.task.reveal
        words = sure if done or reveal >= 1 or not self.task.target else min(sure, self.task.target)
        allowed = math.floor(reveal * words + 1e-9)
        letters = reveal * (len(self.text) if done else ends[sure - 1] if sure else 0) + 1e-9
        while allowed and ends[allowed - 1] > letters:
            allowed -= 1
        end = ends[allowed - 1] if allowed else 0
        news = self.text[self._shown : end]
        self._shown = max(self._shown, end)
        return news
