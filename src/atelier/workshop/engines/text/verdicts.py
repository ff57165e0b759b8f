"""Where the proof's words begin: every threshold in one place, set on real writers.

Set on 22 November 2026 by `benchmarks/proof.py --background --versions aesop austen bierce`: 65 writers from packages,
judges of 14 of them by 8, 16 and 40 works, each asked about dozens of works of writers it had never met; versions
trained on 40 works of three writers, each judged on what was written for all three. Run it again after a change to the
base, the house skill, the training or the style judge.
"""

from __future__ import annotations

VOICE_CLEAR = 0.60
"""Mean probability of the style judge over the generated texts, at the lower end of its interval, from which they are
“clearly in your voice”. How often a dozen texts reached it: of the creator's own version 66 % (Aesop's 100 %, Austen's
83 %, Bierce's 15 %), of the base never, of a version of another writer 0.3 %; of real works, the creator's own 82 %,
those of writers whom the judge had never met 3.5 %. From 0.55 it would be 81 %, never, 1.8 %, 89 % and 5.3 %."""
VOICE_LEANS = 0.60
"""The same, at the value itself, from which they lean the creator's way: own versions 97 %, the base never, versions
of others 13 % (all of them the fables' for the novels)."""
SEPARATION_LEAST = 0.75
"""Lower end of `StyleJudge.separation` below which the judge tells the creator too badly to be asked."""
FALL_CLEAR = 0.18
"""Fall of perplexity on held-out works, at the lower end of its interval, that makes a version the creator's. Versions
of three writers fell on their own works by 27 to 30 % (lower ends 23 to 27 %); but on another's, whom they had never
read, by 11 to 16 % (lower ends 7.5 to 12.8 %): so much is learned from any finished prose."""
FALL_LEANS = 0.13
"""The same, from which a version leans the creator's way where the judge of style cannot be asked: above all lower ends
that versions of others reached. By perplexity alone no version is called clearly the creator's."""
FALL_LEAST = 0.0
"""The same, below which a version is no better than the base."""
