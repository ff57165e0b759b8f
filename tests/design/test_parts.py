"""The parts every page is made of: forms, messages, navigation, errors."""

from __future__ import annotations

import pytest
from django import forms
from django.contrib.messages import get_messages
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse

from atelier.market.core import notices
from atelier.market.core.testing import make_creator, make_user


class Brief(forms.Form):
    """A form with one of everything that matters."""

    subject = forms.CharField(label="Subject", max_length=20, help_text="What it is about.")
    details = forms.CharField(label="Details", widget=forms.Textarea, required=False)
    tone = forms.ChoiceField(label="Tone", choices=[("w", "Warm"), ("d", "Dry")], widget=forms.RadioSelect)
    agreed = forms.BooleanField(label="I agree")
    key = forms.CharField(widget=forms.HiddenInput, initial="k1")


def drawn(form: forms.Form) -> str:
    return render_to_string("core/form.html", {"form": form, "submit": "Send it"})


def test_a_form_ties_labels_help_and_errors_to_their_fields() -> None:
    html = drawn(Brief({"subject": "x" * 30, "details": "kept <words>"}))
    assert '<label class="field__label" for="id_subject">Subject' in html
    assert 'id="id_subject_helptext"' in html
    assert 'id="id_subject_error"' in html
    assert 'aria-describedby="id_subject_helptext id_subject_error"' in html
    assert 'aria-invalid="true"' in html
    assert "kept &lt;words&gt;" in html
    assert f'value="{"x" * 30}"' in html
    assert "3 things to put right" in html
    assert 'href="#id_subject"' in html
    assert "<legend" in html
    assert html.count('type="hidden"') == 1


def test_a_form_without_errors_says_nothing_of_errors() -> None:
    html = drawn(Brief())
    assert 'role="alert"' not in html
    assert "(optional)" in html
    assert html.count("button--primary") == 1


def test_a_form_error_without_a_field_stands_at_the_top() -> None:
    form = Brief({})
    form.add_error(None, "Come back tomorrow.")
    assert "Come back tomorrow." in drawn(form)


@pytest.mark.django_db
def test_a_message_can_be_taken_back(client: Client, rf: RequestFactory) -> None:
    request = client.get("/healthz").wsgi_request
    notices.undoable(request, "The work was removed.", "/works/1/restore/")
    html = render_to_string("core/messages.html", {"messages": get_messages(request)}, request=rf.get("/"))
    assert 'action="/works/1/restore/"' in html
    assert "The work was removed." in html


@pytest.mark.parametrize(
    ("name", "fits", "not_this"), [("A+B (new)", "A+B (new)", "AAB (new)"), ("a.b", "a.b", "axb"), ("[x]", "[x]", "x")]
)
def test_a_name_is_asked_for_to_the_letter(name: str, fits: str, not_this: str) -> None:
    import re

    pattern = Template("{% autoescape off %}{{ name|exactly }}{% endautoescape %}").render(Context({"name": name}))
    assert re.fullmatch(pattern, fits)
    assert not re.fullmatch(pattern, not_this)


@pytest.mark.django_db
def test_everyone_finds_their_own_ways_and_no_others(client: Client) -> None:
    def page_for(user: object) -> str:
        client.logout()
        if user is not None:
            client.force_login(user)  # type: ignore[arg-type]
        return client.get("/").content.decode()

    stranger, buyer = page_for(None), page_for(make_user())
    creator, operator = page_for(make_creator().user), page_for(make_user(operator=True))
    assert "/generations/" not in stranger
    assert reverse("account_login") in stranger
    assert "/generations/" in buyer
    assert 'href="/works/"' not in buyer
    assert 'href="/works/"' in creator
    assert "/operator/ledger/" not in creator
    assert "/operator/ledger/" in operator


@pytest.mark.django_db
@pytest.mark.parametrize(("cookie", "attribute"), [("dark", True), ("light", True), ('"><b', False), ("", False)])
def test_the_theme_is_read_on_the_server_so_that_nothing_flashes(client: Client, cookie: str, attribute: bool) -> None:
    client.cookies["theme"] = cookie
    page = client.get("/").content.decode()
    assert (f'data-theme="{cookie}"' in page.partition("<head>")[0]) is attribute


@pytest.mark.django_db
def test_an_address_that_is_nothing_leads_on(client: Client) -> None:
    answer = client.get("/no/such/page")
    assert answer.status_code == 404
    assert 'action="/search/"' in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["account_login", "account_signup", "account_reset_password", "account_reset_password_done"]
)
def test_account_pages_wear_the_same_dress(client: Client, name: str) -> None:
    page = client.get(reverse(name)).content.decode()
    assert 'id="main"' in page
    assert "atelier/tokens.css" in page
    assert "Menu:" not in page
