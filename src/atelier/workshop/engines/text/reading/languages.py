"""Which language a text is in, guessed from its commonest words."""

from __future__ import annotations

import re

_COMMON = {
    "en": "the and of to in is that it for was with his he on as you are this but had not they from have she her which "
    "all one were when there their what so said if will your our we my an been who would",
    "fr": "le la les de des du un une et est que qui dans pour pas sur au avec ce il elle ne se plus par son sa ses "
    "vous nous mais ou cette aux leur tout été être sont fait comme",
    "de": "der die das und ist nicht ein eine zu den mit von sich auf für im dem es ich sie er auch als an wie wir "
    "aus bei nach war wenn nur oder aber noch einem einen einer ihr sind hat wird",
    "es": "el la los las de y que en un una es por con para no se su al lo como más pero sus le ya o este sí porque "
    "esta entre cuando muy sin sobre también me hasta hay donde del",
    "it": "il la le di e che un una in per non è con sono si da come ma più del della dei al anche lo gli nel alla "
    "ci se mi ha questo quando dalla suo sua così loro delle",
    "pt": "o a os as de e que em um uma é para com não se por mais do da dos das no na ao como mas seu sua ou quando "
    "muito já também só pelo pela até isso ela entre depois sem",
}
_SETS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
_FILLING = (
    "about after again also another any around away back because before being came come could did does done down "
    "each even ever every first from give gave goes gone good great here into just know like little long made "
    "make many more most much must never next nothing once only other over said same seen shall should some still "
    "such take tell than them then these thing things those though three time took under until upon very want "
    "well went were where which while whom whose without avec aussi autre autres avant avoir bien cela ceux "
    "chaque chez depuis deux donc encore entre fois leurs même moins parce peut plusieurs pour quand quelque rien "
    "sans sous toujours toute toutes tous très trop voici voilà votre notre"
)
_FILLINGS = frozenset(_FILLING.split())
_WORD = re.compile(r"[^\W\d_]+")


def is_common(word: str) -> bool:
    """Whether a word says nothing of what a text is about, in whichever of the languages."""
    folded = word.casefold()
    return folded in _FILLINGS or any(folded in common for common in _SETS.values())


def guess_language(text: str) -> str:
    """Two-letter code of en, fr, de, es, it or pt; "" when the text is too short or none is clearly ahead."""
    words = [word.lower() for word in _WORD.findall(text)[:2000]]
    if len(words) < 5:
        return ""
    scores = sorted(((sum(w in common for w in words), language) for language, common in _SETS.items()), reverse=True)
    (best, language), (second, _) = scores[0], scores[1]
    if best < 2 or best < 0.12 * len(words) or best < 1.25 * second:
        return ""
    return language
