"""The words and endings by which a hand is known whatever it writes about: closed classes, nothing of a subject."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tongue:
    """What is counted in one language: words of the closed classes, and endings of the others."""

    function: frozenset[str]
    endings: tuple[str, ...]
    vowels: str


_ENGLISH = """
a an the this that these those some any no every each all both either neither another other such same own
i me my mine myself you your yours yourself he him his himself she her hers herself it its itself we us our ours
ourselves they them their theirs themselves one who whom whose which what whatever somebody someone something anybody
anyone anything nobody nothing everybody everyone everything
and or but nor so yet for if then than because although though while whereas unless until till since as when whenever
where wherever why how whether lest
of in on at by to from with without within into onto upon over under above below between among through during before
after against about around across along behind beside besides beyond toward towards near off out up down
be am is are was were been being have has had having do does did doing done will would shall should can could may
might must ought cannot
not never ever always often sometimes already still again once here there now just only even also too very quite
rather almost perhaps indeed thus hence therefore however moreover instead away back well more most less least much
many few little enough several
yes oh please let's don't doesn't didn't won't wouldn't can't couldn't shouldn't isn't aren't wasn't weren't haven't
hasn't hadn't i'm you're he's she's it's we're they're i've you've we've they've i'll you'll he'll it'll we'll they'll
i'd you'd we'd they'd that's there's here's what's who's
"""
_FRENCH = """
le la les l' un une des du de d' au aux ce cet cette ces c' mon ma mes ton ta tes son sa ses notre nos votre vos leur
leurs quelque quelques chaque tout toute tous toutes aucun aucune plusieurs autre autres même mêmes tel telle tels
je j' me m' moi tu te t' toi il elle on nous vous ils elles se s' soi lui eux y en qui que qu' quoi dont où lequel
laquelle lesquels lesquelles celui celle ceux celles ceci cela ça rien personne chacun quiconque
et ou mais ni or car donc si comme quand lorsque lorsqu' puisque puisqu' quoique quoiqu' parce afin tandis sinon ainsi
à dans par pour sur sous avec sans entre vers chez contre depuis pendant avant après devant derrière jusque jusqu'
dès hors selon malgré parmi voici voilà
suis es est sommes êtes sont étais était étions étiez étaient sera seront serait seraient été étant être ai as a avons
avez ont avais avait avions aviez avaient aura auront aurait auraient eu ayant avoir fait faire faut peut peuvent
pouvez pouvoir doit doivent devez devoir va vont aller
ne n' pas plus jamais guère point non oui aussi encore toujours déjà souvent parfois bien mal très trop assez peu
beaucoup moins autant tant presque ici là alors puis ensuite enfin donc cependant pourtant toutefois plutôt surtout
seulement vraiment peut-être tard tôt hier demain maintenant comment pourquoi combien quel quelle quels quelles
"""
TONGUES = {
    "en": Tongue(
        frozenset(_ENGLISH.split()),
        ("ly", "ing", "ed", "er", "est", "tion", "ness", "ment", "ity", "able", "ful", "less", "ous", "ive", "al", "s"),
        "aeiouy",
    ),
    "fr": Tongue(
        frozenset(_FRENCH.split()),
        ("ment", "tion", "ant", "er", "ir", "ez", "ait", "aient", "é", "ée", "és", "eur", "euse", "ité", "eux", "s"),
        "aeiouyàâäéèêëîïôöùûü",
    ),
}  # fmt: skip
NEUTRAL = Tongue(frozenset(), (), "aeiouyàâäáãåéèêëíîïóôöõøúùûüæœ")
"""For every other language: shapes and rhythm alone."""


def tongue(language: str) -> Tongue:
    """What is counted in this language, given as its code or as “en-GB”."""
    return TONGUES.get(language[:2].lower(), NEUTRAL)
