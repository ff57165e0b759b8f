"""The words of the licence tiers. A changed text is a new entry with the next number; old ones stay for ever.

They are kept in the language they are in force in and are not translated: a certificate names them by their hash.
"""

from __future__ import annotations

from dataclasses import dataclass

from atelier.market.studio.models import Tier

from .models import LicenceTerms


@dataclass(frozen=True)
class Text:
    """One version of the terms of a tier."""

    tier: str
    number: int
    title: str
    summary: tuple[str, ...]
    body: str


COMMON = """
## What stays with the creator
The piece was made by a creation model that learned from the creator's own works. This licence is about the piece
alone. It gives you no right to the creation model, to the works behind it, or to the creator's name beyond saying
truthfully who the piece is by.

## What nobody may do
You may not train or tune a generative model on the piece, and you may not use it for anything unlawful, for
deceiving people about who wrote it, or in a way that suggests the creator stands behind your product or opinion.

## How long, and where
The licence begins when it is paid and does not end. It holds in every country. It ends only if you break it and do
not put that right within thirty days of being told.

## What is promised, and what is not
The creator has declared that they hold the rights in the works behind the piece, and what those works contributed is
kept on record. A piece is made by a machine: in some countries no copyright arises in it, and something like it may
be made by others. It is delivered as it is. Whoever sold it to you is liable for intent and gross negligence, and
otherwise up to the price you paid.

## Showing that you hold it
The certificate delivered with the piece names it by its hash. Anyone can look that hash up on this market's public
verification page, which never tells who bought it.
""".strip()

PERSONAL = """
## What you may do
You may use the piece for yourself and your household: read it, print it, send it to friends, put it on a private
page, read it aloud at a birthday. You may change it, shorten it and join it with other things for the same ends.

## What you may not do with this tier
You may not use it to earn money or to promote anything that does, and not on behalf of a company, an office or a
club. For that, buy the commercial licence; what you paid for this one is not counted towards it.

## Others may hold it too
This licence is not exclusive. The creator may license the same piece to other people.
""".strip()

COMMERCIAL = """
## What you may do
You may use the piece in your business and in that of one client for whom you work: in print, on screens, on products
and packaging, in advertising, in any number of copies, and you may let printers, agencies and platforms handle it for
you. You may change it, translate it, shorten it and join it with other things. You need not name the creator, and
are welcome to.

## What you may not do with this tier
You may not resell the piece as it is, offer it as a template or in a collection, or register it as a mark. For use by
more than one client, buy a licence for each.

## Others may hold it too
This licence is not exclusive. The creator may license the same piece to other people, your competitors among them.
""".strip()

EXCLUSIVE = """
## What you may do
You may use the piece for any lawful end, in any business, in any number of copies, and change it as you like. You may
pass this licence on, whole, to one other person or company at a time, who then stands in your place.

## What exclusive means here
From the moment you paid, this market sells no further licence to this piece, to anyone, for ever; this was possible
only because none had been sold before. The creator may show the piece as an example of their work only if you agree,
and does not license it elsewhere. Other pieces from the same creation model, made for other briefs, stay on sale.

## What you may not do
You may not register the piece as a mark in a way that keeps the creator from going on in their own style.
""".strip()

TEXTS = (
    Text(
        Tier.PERSONAL,
        1,
        "Personal licence",
        ("For you and your household", "No use that earns or advertises", "Others may license it too"),
        f"{PERSONAL}\n\n{COMMON}",
    ),
    Text(
        Tier.COMMERCIAL,
        1,
        "Commercial licence",
        (
            "For your business and one client",
            "Print, web, products, advertising, any number of copies",
            "Others may license it too",
        ),
        f"{COMMERCIAL}\n\n{COMMON}",
    ),
    Text(
        Tier.EXCLUSIVE,
        1,
        "Exclusive licence",
        ("Any lawful use, yours alone", "Withdrawn from sale for ever", "Can be passed on, whole"),
        f"{EXCLUSIVE}\n\n{COMMON}",
    ),
)


def in_force(tier: str) -> LicenceTerms:
    """The terms that a tier is sold under now; their row is made when first asked for."""
    text = max((text for text in TEXTS if text.tier == tier), key=lambda text: text.number)
    row, _ = LicenceTerms.objects.get_or_create(
        tier=text.tier,
        number=text.number,
        defaults={"title": text.title, "summary": list(text.summary), "body": text.body},
    )
    return row
