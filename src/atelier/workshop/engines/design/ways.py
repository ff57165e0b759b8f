"""The ways in which a piece can be made anew from another."""

from atelier.workshop.contract import Variation

VARIATIONS = (
    Variation(
        name="near", title="More like this", description="The same colours and motif, a little differently arranged."
    ),
    Variation(name="layout", title="Same layout, other colours", description="Everything stays where it is."),
    Variation(name="palette", title="Same colours, other layout", description="The words and colours stay."),
    Variation(
        name="words", title="Change the words", description="Colours and arrangement stay.", edits=True, live=True
    ),
)
