from __future__ import annotations

import csv
import io
import re
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from atelier.market.billing import earnings
from atelier.market.billing.models import Purchase
from atelier.market.billing.testing import CONFIRM, GOOD, POOR, buy, start
from atelier.market.core.testing import make_user
from atelier.market.generation.models import Attribution, Output
from atelier.market.generation.testing import make_output
from atelier.market.ledger.models import Transaction
from atelier.market.studio.models import CreationModel
from atelier.market.works.models import Share

pytestmark = pytest.mark.django_db
S = Purchase.State
START = "/purchases/new/"


@pytest.fixture
def output() -> Output:
    return make_output()


def signed_in(person: object) -> Client:
    client = Client()
    client.force_login(person)  # type: ignore[arg-type]
    return client


def form_of(client: Client, output: Output, tier: str = "personal", card: str = GOOD) -> dict[str, str]:
    """The form of the page, filled in."""
    page = client.get(START, {"output": output.pk, "tier": tier}).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    return {**hidden, "card_number": card}


def test_the_page_says_what_is_bought_for_how_much_and_who_gets_what(output: Output) -> None:
    page = signed_in(output.generation.viewer).get(START, {"output": output.pk, "tier": "commercial"})
    words = page.content.decode()
    assert page.status_code == 200
    for said in ("Commercial licence", "$29.00 USD", "$2.90 USD", "$26.10 USD", "No tax is added", GOOD):
        assert said in words
    assert output.generation.creation_model.creator.user.name in words


def test_a_purchase_by_form_leads_to_the_licence(output: Output) -> None:
    client = signed_in(output.generation.viewer)
    response = client.post(START, form_of(client, output), follow=True)
    purchase = Purchase.objects.get()
    assert purchase.state == S.PAID
    assert response.redirect_chain == [(reverse("billing:purchase", args=[purchase.pk]), 302)]
    assert reverse("licences:licence", args=[purchase.licence.pk]) in response.content.decode()
    assert str(purchase.pk) in client.get(reverse("billing:purchases")).content.decode()


def test_sending_the_form_twice_buys_once(output: Output) -> None:
    client = signed_in(output.generation.viewer)
    form = form_of(client, output)
    first, second = client.post(START, form), client.post(START, form)
    assert first.url == second.url
    assert Purchase.objects.count() == Transaction.objects.count() == 1


def test_a_wrong_card_number_keeps_the_form_and_buys_nothing(output: Output) -> None:
    client = signed_in(output.generation.viewer)
    response = client.post(START, form_of(client, output, card="4111 1111 1111 1111"))
    assert response.status_code == 422
    assert "This card cannot be used here" in response.content.decode()
    assert not Purchase.objects.exists()


def test_a_declined_card_says_why_and_offers_another_try(output: Output) -> None:
    client = signed_in(output.generation.viewer)
    page = client.post(START, form_of(client, output, card=POOR), follow=True).content.decode()
    assert "not enough money" in page
    assert f"{START}?output={output.pk}&amp;tier=personal" in page
    assert client.post(START, form_of(client, output), follow=True).status_code == 200
    assert Purchase.objects.filter(state=S.PAID).count() == 1


def test_the_form_of_a_declined_purchase_sent_again_leads_to_what_became_of_it(output: Output) -> None:
    client = signed_in(output.generation.viewer)
    form = form_of(client, output, card=POOR)
    first = client.post(START, form)
    again = client.post(START, {**form, "card_number": GOOD})
    assert again.status_code == 302
    assert again.url == first.url
    assert "Try another card" in client.get(again.url).content.decode()
    assert Purchase.objects.get().state == S.DECLINED


@pytest.mark.parametrize(("answer", "state"), [("yes", S.PAID), ("no", S.DECLINED)])
def test_the_sandbox_bank_asks_and_hears_the_answer(output: Output, answer: str, state: str) -> None:
    client = signed_in(output.generation.viewer)
    response = client.post(START, form_of(client, output, card=CONFIRM))
    purchase = Purchase.objects.get()
    confirm = reverse("billing:confirm", args=[purchase.pk])
    assert response.url == confirm
    assert "$9.00 USD" in client.get(confirm).content.decode()
    client.post(confirm, {"answer": answer})
    purchase.refresh_from_db()
    assert purchase.state == state
    assert client.get(confirm).status_code == 302


def test_a_new_price_is_shown_before_it_is_paid(output: Output) -> None:
    client = signed_in(output.generation.viewer)
    form = form_of(client, output)
    CreationModel.objects.update(personal_minor=1200)
    response = client.post(START, form)
    assert response.status_code == 409
    page = response.content.decode()
    assert "The price is $12.00 USD now; you saw $9.00 USD." in page
    assert not Purchase.objects.exists()
    assert 'name="price_seen" value="1200"' in page
    assert client.post(START, {**form, "price_seen": "1200"}).status_code == 302
    assert Purchase.objects.get().price_minor == 1200


def test_what_was_left_open_can_be_paid_or_cancelled_on_its_page(output: Output) -> None:
    client = signed_in(output.generation.viewer)
    purchase = start(output)
    page = client.get(reverse("billing:purchase", args=[purchase.pk])).content.decode()
    assert "data-live=" in page
    assert client.post(reverse("billing:pay", args=[purchase.pk]), {"card_number": ""}).status_code == 422
    assert client.post(reverse("billing:pay", args=[purchase.pk]), {"card_number": GOOD}).status_code == 302
    purchase.refresh_from_db()
    assert purchase.state == S.PAID
    other = start(output, "commercial")
    client.post(reverse("billing:cancel", args=[other.pk]))
    other.refresh_from_db()
    assert other.state == S.CANCELLED
    assert "data-live=" not in client.get(reverse("billing:purchase", args=[other.pk])).content.decode()


@pytest.mark.parametrize("state", S.values)
def test_the_page_of_a_purchase_stands_in_every_state(output: Output, state: str) -> None:
    client = signed_in(output.generation.viewer)
    purchase = buy(output) if state == S.PAID else start(output)
    Purchase.objects.filter(pk=purchase.pk).update(state=state)
    assert client.get(reverse("billing:purchase", args=[purchase.pk])).status_code == 200


def test_others_find_no_purchase_and_change_nothing(output: Output) -> None:
    purchase = start(output)
    client = signed_in(make_user())
    for name in ("purchase", "confirm"):
        assert client.get(reverse(f"billing:{name}", args=[purchase.pk])).status_code == 404
    for name in ("pay", "confirm", "cancel"):
        assert client.post(reverse(f"billing:{name}", args=[purchase.pk]), {"card_number": GOOD}).status_code == 404
    assert client.get(START, {"output": output.pk}).status_code == 404
    assert client.get(START, {"output": "x"}).status_code == 404
    assert Client().get(START, {"output": output.pk}).status_code == 302
    purchase.refresh_from_db()
    assert purchase.state == S.OPEN


def test_terms_can_be_read_by_anyone(output: Output) -> None:
    page = Client().get("/licences/terms/exclusive/1/")
    assert page.status_code == 200
    assert "What exclusive means here" in page.content.decode()
    assert Client().get("/licences/terms/exclusive/99/").status_code == 404
    assert Client().get("/licences/terms/golden/1/").status_code == 404


def with_a_co_author(output: Output, title: str = "A lamp") -> object:
    other = make_user("Ines")
    Attribution.objects.filter(output=output).delete()
    work = output.generation.creation_model.creator.works.first()
    type(work).objects.filter(pk=work.pk).update(title=title)
    Attribution.objects.create(output=output, work=work, parts=1_000_000, method="test")
    Share.objects.create(work=work, holder=other, basis_points=2500)
    return other


def test_each_line_of_the_statement_is_explained_down_to_the_sale(output: Output) -> None:
    other = with_a_co_author(output)
    buy(output, "commercial")
    creator = output.generation.creation_model.creator.user
    page = signed_in(creator).get("/earnings/").content.decode()
    for said in ("$29.00 USD", "$2.90 USD", "$19.58 USD", "A lamp", "75.00 %"):
        assert said in page
    page = signed_in(other).get("/earnings/").content.decode()
    for said in ("as co-author", "$6.52 USD", "25.00 %"):
        assert said in page
    assert "$6.52" not in signed_in(output.generation.viewer).get("/earnings/").content.decode()


def test_the_statement_as_a_table_is_harmless_to_spreadsheets(output: Output) -> None:
    with_a_co_author(output, '=HYPERLINK("x")')
    CreationModel.objects.update(name="=1+1")
    buy(output)
    creator = output.generation.creation_model.creator.user
    sent = b"".join(signed_in(creator).get("/earnings/statement.csv").streaming_content).decode()
    header, row = csv.reader(io.StringIO(sent))
    line = dict(zip(header, row, strict=True))
    assert (line["amount"], line["currency"], line["price"], line["fee"]) == ("6.08", "USD", "9.00", "0.90")
    assert line["piece"] == "'=1+1"
    assert not any(cell.startswith("=") for cell in row)


def test_a_long_statement_is_read_in_portions_and_is_whole(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    model = output.generation.creation_model
    with_a_co_author(output, "-2+3")
    buy(output)
    for _number in range(3):
        buy(make_output(model))
    monkeypatch.setattr(earnings, "PORTION", 2)
    client = signed_in(model.creator.user)
    sent = b"".join(client.get("/earnings/statement.csv").streaming_content).decode()
    lines = list(csv.DictReader(io.StringIO(sent)))
    told = client.get("/api/statement").json()["lines"]
    assert [int(line["transaction"]) for line in lines] == [line["number"] for line in told]
    assert len(lines) == 4
    assert lines[-1]["works"].startswith("'-2+3: ")


def test_lines_of_a_statement_are_fetched_together(output: Output, django_assert_max_num_queries) -> None:
    for tier in ("personal", "commercial"):
        buy(output, tier)
    client = signed_in(output.generation.creation_model.creator.user)
    client.get("/earnings/")
    with django_assert_max_num_queries(13):
        client.get("/earnings/")


def test_the_api_buys_confirms_cancels_and_tells(output: Output) -> None:
    client = signed_in(output.generation.viewer)

    def send(address: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        answer = client.post(address, body, content_type="application/json")
        return answer.status_code, answer.json()

    wish = {"output_id": str(output.pk), "tier": "personal", "card": GOOD, "idempotency_key": uuid.uuid4().hex}
    status, bought = send("/api/purchases", wish)
    assert (status, bought["state"]) == (201, "paid")
    assert bought["licence_id"]
    assert sum(part["amount_minor"] for part in bought["split"]) == bought["price_minor"]
    assert send("/api/purchases", wish) == (201, bought)
    assert client.get(f"/api/purchases/{bought['id']}").json() == bought
    asking = {**wish, "tier": "commercial", "card": CONFIRM, "idempotency_key": uuid.uuid4().hex}
    _, asked = send("/api/purchases", asking)
    assert asked["state"] == "confirming"
    assert send(f"/api/purchases/{asked['id']}/confirm", {"passed": False})[1]["failure_code"] == "not_confirmed"
    assert send(f"/api/purchases/{bought['id']}/cancel", {})[0] == 409
    assert send("/api/purchases", {**wish, "card": "1", "idempotency_key": uuid.uuid4().hex})[0] == 422
    poor = {**asking, "card": POOR, "idempotency_key": uuid.uuid4().hex}
    status, declined = send("/api/purchases", poor)
    assert (status, declined["state"]) == (201, "declined")
    assert send("/api/purchases", poor) == (201, declined)
    assert len(client.get("/api/purchases").json()) == 3
    creator = signed_in(output.generation.creation_model.creator.user)
    told = creator.get("/api/statement").json()
    assert told["totals"] == [{"currency": "USD", "earned_minor": 810, "owed_minor": 810}]
    assert told["lines"][0]["purchase_id"] == bought["id"]
    assert creator.get(f"/api/purchases/{bought['id']}").status_code == 404
