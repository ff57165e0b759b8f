"""Where the proof's words begin: every threshold in one place, set on real writers.

Set by hand until `benchmarks/proof.py` has run; the comment of each says by what it was set.
"""

from __future__ import annotations

VOICE_CLEAR = 0.70
"""Mean probability of the style judge over the generated texts, at the lower end of its interval, from which they are
“clearly in your voice”."""
VOICE_LEANS = 0.50
"""The same, at the value itself, from which they “lean your way”."""
SEPARATION_LEAST = 0.75
"""Lower end of `StyleJudge.separation` below which the judge tells the creator too badly to be asked."""
FALL_CLEAR = 0.10
"""Fall of perplexity on held-out works, at the lower end of its interval, that a reader can notice."""
FALL_LEAST = 0.0
"""The same, below which a version is no better than the base."""
