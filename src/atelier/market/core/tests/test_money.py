from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atelier.market.core import money

weights = st.lists(st.fractions(min_value=0, max_value=1000), min_size=1, max_size=12).filter(any)


@given(total=st.integers(min_value=0, max_value=10**12), weights=weights)
def test_a_split_adds_up_and_no_part_is_off_by_a_cent(total: int, weights: list[Fraction]) -> None:
    parts = money.split(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - total * weight / sum(weights)) < 1


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (5, [0, 0]), (5, []), (5, [2, -1])])
def test_a_split_of_nonsense_is_refused(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        money.split(total, weights)


def test_money_is_shown_with_its_currency() -> None:
    assert money.show(123456, "USD") == "$1,234.56 USD"
    assert money.show(-5, "EUR") == "−€0.05 EUR"
