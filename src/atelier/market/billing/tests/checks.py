"""What must hold after whatever was done to purchases."""

from __future__ import annotations

from atelier.market.billing.models import Purchase
from atelier.market.core.testing import make_user
from atelier.market.ledger import queries as ledger
from atelier.market.ledger.models import Entry, Transaction
from atelier.market.licences.models import Licence


def everything_adds_up() -> None:
    """Paid means a licence and one sale in the ledger, to the cent; nothing else has either."""
    operator = make_user(operator=True)
    assert all(total.is_zero for total in ledger.totals(operator))
    assert ledger.drifted(operator) == []
    paid = set(Purchase.objects.filter(state=Purchase.State.PAID).values_list("pk", flat=True))
    assert set(Licence.objects.values_list("purchase_id", flat=True)) == paid
    assert set(Transaction.objects.filter(kind="sale").values_list("key", flat=True)) == {f"sale:{pk}" for pk in paid}
    for purchase in Purchase.objects.all():
        assert sum(part["amount_minor"] for part in purchase.split) == purchase.price_minor
        booked = Entry.objects.filter(transaction__key=f"sale:{purchase.pk}", direction=Entry.Direction.CREDIT)
        owed = {part["payee"]: part["amount_minor"] for part in purchase.split if part["amount_minor"]}
        if purchase.pk in paid:
            assert {entry.account.owner_id: entry.amount_minor for entry in booked} == owed
