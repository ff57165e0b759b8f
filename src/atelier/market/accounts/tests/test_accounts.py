from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from atelier.market.accounts import actions, queries
from atelier.market.accounts.mail import tell_vetting_decided
from atelier.market.accounts.models import ApiToken, Creator, VettingApplication
from atelier.market.core.errors import Conflict, Denied, Invalid, Missing
from atelier.market.core.models import AuditEntry
from atelier.market.core.testing import make_creator, make_user

pytestmark = pytest.mark.django_db
STATEMENT = "I have written labels and letters for small makers for nine years."


def test_a_person_becomes_a_creator_and_may_change_all_but_the_handle_once_approved() -> None:
    user = make_user()
    creator = actions.save_creator(actor=user, handle="Lena-Writes", headline="Short texts", about="", languages=["en"])
    assert creator.handle == "lena-writes"
    Creator.objects.filter(pk=creator.pk).update(vetted_at=creator.created_at)
    actions.save_creator(actor=user, handle="lena-writes", headline="Shorter", about="", languages=["en", "fr"])
    with pytest.raises(Invalid) as refused:
        actions.save_creator(actor=user, handle="lena", headline="Shorter", about="", languages=["en"])
    assert refused.value.field == "handle"
    creator.refresh_from_db()
    assert (creator.handle, creator.headline) == ("lena-writes", "Shorter")


@pytest.mark.parametrize("handle", ["ab", "9lives", "with space", "admin", "-dash", "x" * 41])
def test_a_handle_that_cannot_be_an_address_is_refused(handle: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.save_creator(actor=make_user(), handle=handle, headline="h", about="", languages=["en"])
    assert refused.value.field == "handle"
    assert not Creator.objects.exists()


def test_a_taken_handle_is_refused_and_nothing_changes() -> None:
    taken = make_creator()
    user = make_user()
    with pytest.raises(Invalid, match="already"):
        actions.save_creator(actor=user, handle=taken.handle, headline="h", about="", languages=["en"])
    assert not queries.is_creator(user)


def test_an_application_waits_once_and_is_decided_once() -> None:
    creator, operator = make_creator(vetted=False), make_user(operator=True)
    first = actions.apply_for_vetting(actor=creator.user, statement=STATEMENT)
    assert actions.apply_for_vetting(actor=creator.user, statement=STATEMENT) == first
    actions.decide_vetting(actor=operator, application_id=first.pk, approve=True)
    creator.refresh_from_db()
    assert creator.is_vetted
    with pytest.raises(Conflict):
        actions.decide_vetting(actor=operator, application_id=first.pk, approve=False, reason="changed my mind")
    creator.refresh_from_db()
    assert creator.is_vetted
    assert AuditEntry.objects.filter(verb="accounts.vetting_approved", actor=operator).count() == 1


def test_declining_needs_a_reason_and_the_creator_reads_it() -> None:
    creator, operator = make_creator(vetted=False), make_user(operator=True)
    application = actions.apply_for_vetting(actor=creator.user, statement=STATEMENT)
    with pytest.raises(Invalid):
        actions.decide_vetting(actor=operator, application_id=application.pk, approve=False)
    actions.decide_vetting(actor=operator, application_id=application.pk, approve=False, reason="The links are dead.")
    tell_vetting_decided(application.pk)
    assert "The links are dead." in mail.outbox[0].body
    assert mail.outbox[0].to == [creator.user.email]


def test_only_operators_decide_and_never_on_themselves() -> None:
    creator = make_creator(vetted=False)
    application = actions.apply_for_vetting(actor=creator.user, statement=STATEMENT)
    creator.user.is_staff = True
    for person in (make_user(), creator.user):
        with pytest.raises(Denied):
            actions.decide_vetting(actor=person, application_id=application.pk, approve=True)
    application.refresh_from_db()
    assert application.state == VettingApplication.State.OPEN
    assert not AuditEntry.objects.filter(verb__startswith="accounts.vetting").exists()


@pytest.mark.parametrize(
    "links",
    [
        ["javascript:alert(1)"],
        ["data:text/html,x"],
        ["example.org"],
        [f"https://example.org/{'x' * 300}"],
        ["https://a.org"] * 6,
    ],
)
def test_an_application_takes_web_addresses_only_whoever_sends_them(client: Client, links: list[str]) -> None:
    creator = make_creator(vetted=False)
    with pytest.raises(Invalid) as refused:
        actions.apply_for_vetting(actor=creator.user, statement=STATEMENT, links=links)
    assert refused.value.field == "links"
    client.force_login(creator.user)
    form = client.post("/me/vetting/", {"statement": STATEMENT, "links": "\n".join(links)})
    assert (form.status_code, list(form.context["form"].errors)) == (422, ["links"])
    assert not VettingApplication.objects.exists()


def test_the_addresses_of_an_application_are_shown_to_operators(client: Client) -> None:
    creator = make_creator(vetted=False)
    client.force_login(creator.user)
    client.post("/me/vetting/", {"statement": STATEMENT, "links": "https://example.org/a\n\n https://example.org/b \n"})
    assert VettingApplication.objects.get().links == ["https://example.org/a", "https://example.org/b"]
    client.force_login(make_user(operator=True))
    assert 'href="https://example.org/b"' in client.get("/operator/vetting/").content.decode()


def test_an_application_that_another_operator_decided_meanwhile_says_so(client: Client) -> None:
    creator, first, second = make_creator(vetted=False), make_user(operator=True), make_user(operator=True)
    application = actions.apply_for_vetting(actor=creator.user, statement=STATEMENT)
    actions.decide_vetting(actor=first, application_id=application.pk, approve=True)
    client.force_login(second)
    late = client.post(f"/operator/vetting/{application.pk}/", {"answer": "decline", "reason": "The links are dead."})
    assert late.status_code == 409
    assert "Reload the page" in late.content.decode()
    application.refresh_from_db()
    assert application.state == VettingApplication.State.APPROVED


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("put", "me/creator", {"handle": "lena", "headline": "a\x00b", "languages": ["en"]}, "headline"),
        ("put", "me/creator", {"handle": "lena", "headline": "a", "about": "\x00", "languages": ["en"]}, "about"),
        ("post", "me/vetting", {"statement": f"{STATEMENT}\x00"}, "statement"),
        ("post", "me/vetting", {"statement": STATEMENT, "links": ["https://example.org/\x00"]}, "links.0"),
        ("post", "vetting/1/decision", {"approve": False, "reason": "a\x00b"}, "reason"),
    ],
)
def test_text_that_cannot_be_kept_is_refused_by_name(
    client: Client, method: str, path: str, body: dict[str, object], field: str
) -> None:
    creator = make_creator(vetted=False)
    client.force_login(creator.user)
    answer = getattr(client, method)(f"/api/{path}", body, "application/json")
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert "NUL" in answer.json()["message"]
    assert not VettingApplication.objects.exists()
    assert Creator.objects.get().headline == creator.headline


def test_a_token_name_that_cannot_be_kept_is_refused(client: Client) -> None:
    client.force_login(make_user())
    for name in ("", "a\x00b", "x" * 81):
        page = client.post("/me/tokens/", {"name": name}, follow=True)
        assert "notice--bad" in page.content.decode()
    assert not ApiToken.objects.exists()


def test_a_token_acts_for_its_owner_until_revoked_and_is_never_kept_in_clear(client: Client) -> None:
    user = make_user("Token Owner")
    token, text = actions.make_token(actor=user, name="script")
    headers = {"Authorization": f"Bearer {text}"}
    assert client.get("/api/me", headers=headers).json()["name"] == "Token Owner"
    assert text not in str(ApiToken.objects.values().get(pk=token.pk))
    token.refresh_from_db()
    assert token.last_used_at is not None
    actions.revoke_token(actor=user, token_id=token.pk)
    assert client.get("/api/me", headers=headers).status_code == 401


def test_nobody_revokes_a_token_of_another() -> None:
    token, _text = actions.make_token(actor=make_user(), name="script")
    with pytest.raises(Missing):
        actions.revoke_token(actor=make_user(), token_id=token.pk)
    token.refresh_from_db()
    assert token.revoked_at is None


def test_demo_sign_in_exists_in_a_demo_market_only(client: Client, settings: object) -> None:
    buyer = make_user("Demo Buyer")
    type(buyer).objects.filter(pk=buyer.pk).update(is_demo=True)
    settings.DEMO = False
    assert client.post("/demo/sign-in/buyer/").status_code == 404
    assert "_auth_user_id" not in client.session
    settings.DEMO = True
    assert client.post("/demo/sign-in/buyer/", {"next": "https://evil.example/"}).url == "/"
    assert client.session["_auth_user_id"] == str(buyer.pk)


def test_operators_sign_in_where_the_second_factor_is_asked_for(client: Client) -> None:
    operator = make_user(operator=True)
    asked = client.post("/operator/admin/login/", {"username": operator.email, "password": "correct horse battery"})
    assert asked.status_code == 302
    assert asked.headers["Location"].startswith("/account/login/")
    assert "_auth_user_id" not in client.session
    client.force_login(make_user())
    assert client.get("/operator/admin/", follow=True).status_code == 403


def test_the_command_makes_operators_of_people_who_signed_up_and_of_nobody_else() -> None:
    user = make_user()
    call_command("make_operator", user.email.upper(), stdout=StringIO())
    user.refresh_from_db()
    assert user.is_operator
    call_command("make_operator", user.email, "--revoke", stdout=StringIO())
    user.refresh_from_db()
    assert not user.is_operator
    with pytest.raises(CommandError, match="sign up"):
        call_command("make_operator", "nobody@example.org")
