"""The pages of an engine whose works and samples are pictures: open to everyone, within the screen, light and dark."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, expect

from atelier.market.accounts.models import User
from atelier.market.billing.testing import buy
from atelier.market.core.testing import make_creator, make_user
from atelier.market.generation import actions as generation
from atelier.market.generation.models import Generation
from atelier.market.generation.testing import make_picture_model, make_playground, make_samples, wish
from atelier.market.hiring import actions as hiring
from atelier.market.licences.making import make
from atelier.market.studio import actions as studio
from atelier.market.works.testing import make_sheets

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people() -> dict[str, tuple[User, dict[str, str]]]:
    """A creator of pictures, their client, and an anonymous visitor, each with the addresses of what they look at."""
    creator, buyer = make_creator("Wilhelmina Quist-Lindenbaumgartner"), make_user("Bo")
    model = make_picture_model(creator, name="Harbour posters")
    assert model.version is not None
    studio.veto_part(actor=creator.user, version_id=model.version.pk, name="shape:circle")
    (work,) = make_sheets(creator, 1)
    shown = make_playground(model, samples=1).outputs.get()
    generation.showcase(actor=creator.user, output_id=shown.pk)
    made = make_samples(model, buyer, samples=3)
    first, second = made.outputs.all()[:2]
    licence = buy(first).licence
    make(licence.pk)
    asked = hiring.start_conversation(actor=buyer, output_id=second.pk, body="Larger, please", client_key="a-key-12")
    waiting = generation.ask_for_samples(actor=buyer, creation_model=model, wish=wish(samples=2))
    talk = reverse("hiring:conversation", args=[asked.pk])
    return {
        "creator": (
            creator.user,
            {
                "works": reverse("works:list"),
                "work": reverse("works:work", args=[work.pk]),
                "train": reverse("studio:train", args=[model.pk]),
                "proof": reverse("studio:version", args=[model.version.pk]),
                "conversation": talk,
            },
        ),
        "buyer": (
            buyer,
            {
                "brief": reverse("generation:brief", args=[model.pk]),
                "samples": reverse("generation:detail", args=[made.pk]),
                "waiting": reverse("generation:detail", args=[waiting.pk]),
                "another": reverse("generation:another", args=[second.pk, "words"]),
                "other-colours": reverse("generation:another", args=[second.pk, "colours"]),
                "generations": reverse("generation:list"),
                "licence": reverse("licences:licence", args=[licence.pk]),
                "licences": reverse("licences:list"),
                "buy": reverse("billing:start") + f"?output={second.pk}&tier=personal",
                "model": f"/@{creator.handle}/{model.slug}/",
                "front": "/",
            },
        ),
    }


def signed_in(browser: Browser, site: Any, person: User, width: int, scheme: Any) -> Any:
    client = Client()
    client.force_login(person)
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": site.url}])
    # The test server has a thread a connection and would wait for open streams when it ends.
    context.route("**/live/**", lambda route: route.abort())
    return context


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_pages_with_pictures_are_open_to_everyone(
    live_server: Any, browser: Browser, people: dict[str, tuple[User, dict[str, str]]], width: int, scheme: Any
) -> None:
    found: list[str] = []
    for person, paths in people.values():
        context = signed_in(browser, live_server, person, width, scheme)
        page = context.new_page()
        for name, path in paths.items():
            page.goto(live_server.url + path)
            for more in page.locator("details.output__another:visible > summary").all():
                more.click()
            # What is loaded late is looked at too.
            page.evaluate("document.querySelectorAll('img').forEach((image) => { image.loading = 'eager' })")
            page.wait_for_load_state("networkidle") if name != "waiting" else page.wait_for_timeout(300)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"{name}: wider than {width} px")
            if page.evaluate("[...document.images].some((i) => i.src && i.complete && !i.naturalWidth)"):
                found.append(f"{name}: a picture is missing")
            for violation in Axe().run(page).response["violations"]:
                if violation["impact"] in {"serious", "critical"}:
                    found.append(f"{name}: {violation['id']}: {violation['nodes'][0]['html'][:200]}")
        context.close()
    assert not found


def test_another_is_asked_for_with_the_keyboard_alone(
    live_server: Any, browser: Browser, people: dict[str, tuple[User, dict[str, str]]]
) -> None:
    person, paths = people["buyer"]
    context = signed_in(browser, live_server, person, 1000, "light")
    page = context.new_page()
    page.goto(live_server.url + paths["samples"])
    page.locator("details.output__another > summary").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/generations/[0-9a-f-]{36}/$"))
    page.wait_for_url(lambda url: not url.endswith(paths["samples"]))
    context.close()
    assert Generation.objects.filter(viewer=person, vary_way="colours").count() == 1
