"""Money as integer minor units: showing it, and splitting it so that no cent is lost or made."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


def show(minor: int, currency: str) -> str:
    """`1234, "USD"` → `$12.34 USD`, always with its currency."""
    sign = "−" if minor < 0 else ""
    whole, cents = divmod(abs(minor), 100)
    return f"{sign}{SYMBOLS.get(currency, '')}{whole:,}.{cents:02d} {currency}"


def split(total_minor: int, weights: Sequence[Fraction | int]) -> list[int]:
    """Split a total in proportion to weights by the largest remainder (Hamilton's method).

    The parts are integers, add up to the total exactly, and each differs from its exact share by less than one
    minor unit; equal remainders are served in order. Errors: ValueError for negative or all-zero weights.
    """
    exact = [Fraction(weight) for weight in weights]
    whole = sum(exact, Fraction(0))
    if total_minor < 0 or whole <= 0 or any(weight < 0 for weight in exact):
        raise ValueError("A total of at least 0 and weights of at least 0, not all zero, are needed.")
    shares = [total_minor * weight / whole for weight in exact]
    parts = [share.numerator // share.denominator for share in shares]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - shares[i], i))
    for i in order[: total_minor - sum(parts)]:
        parts[i] += 1
    return parts
