"""Pages as a person meets them: nothing serious for axe, nothing beside the page, at 360 and 1280, light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser

from atelier.market.accounts.actions import apply_for_vetting
from atelier.market.core.testing import make_creator, make_user
from atelier.market.discovery.testing import make_listed
from atelier.market.generation import actions as generation
from atelier.market.generation.testing import make_playground

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def market() -> dict[str, str]:
    """A small market, and the addresses of its pages."""
    creator = make_creator("Wilhelmina Quist-Lindenbaumgartner")
    model = make_listed(
        "Bread and light",
        creator,
        about="Warm texts for bakeries.\n\nNever hurried.",
        tags=["bakery", "Donaudampfschifffahrtsgesellschaft"],
        subjects_refused=["gambling"],
        words_never=["cheap"],
    )
    make_listed("Steel", creator, palette=["#0d1b2a", "#e0e1dd", "#e63946"])
    output = make_playground(model, samples=1).outputs.get()
    generation.showcase(actor=creator.user, output_id=output.pk)
    return {
        "front": "/",
        "model": f"/@{creator.handle}/{model.slug}/",
        "creator": f"/@{creator.handle}/",
        "search": "/search/?q=bread",
        "nothing found": "/search/?q=zzzz",
        "category": "/categories/practice/",
        "sign in": "/account/login/",
        "sign up": "/account/signup/",
        "reset": "/account/password/reset/",
        "missing": "/no/such/page",
    }


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_public_pages_are_open_to_everyone(
    live_server: Any, browser: Browser, market: dict[str, str], width: int, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    found: list[str] = []
    for name, path in market.items():
        page.goto(live_server.url + path)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{name}: wider than {width} px")
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in {"serious", "critical"}:
                found.append(f"{name}: {violation['id']}: {violation['nodes'][0]['html'][:200]}")
    context.close()
    assert not found


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (520, "light")])
def test_the_bar_of_an_operator_and_its_menus_stay_within_the_screen(
    live_server: Any, browser: Browser, width: int, scheme: Any
) -> None:
    client = Client()
    client.force_login(make_user("Oda Operator-Lindenbaum", operator=True))
    creator = make_creator(vetted=False)
    statement = "I have written labels and letters for small makers for nine years."
    apply_for_vetting(actor=creator.user, statement=statement, links=[f"https://example.org/{'long-' * 30}"])
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(live_server.url + "/operator/vetting/")
    for menu in page.locator("details.menu:visible").all():
        menu.locator("summary").click()
        panel = menu.locator(".menu__panel").bounding_box()
        assert panel is not None
        assert panel["x"] >= 0
        assert panel["x"] + panel["width"] <= width
        page.keyboard.press("Escape")
    assert page.evaluate("document.body.scrollWidth <= document.body.clientWidth")
    found = [each for each in Axe().run(page).response["violations"] if each["impact"] in {"serious", "critical"}]
    context.close()
    assert not found


def test_everything_public_is_read_without_scripts(live_server: Any, browser: Browser, market: dict[str, str]) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto(live_server.url)
    page.locator("summary", has_text="Menu").click()
    page.locator(".menu__panel a", has_text="Discover").click()
    page.locator("input[name=q]").first.fill("bread")
    page.locator("button", has_text="Search").first.click()
    page.locator(".card__title a").first.click()
    assert page.locator("h1").inner_text() == "Bread and light"
    assert page.locator(".sample").first.is_visible()
    context.close()


def test_the_first_tab_stop_leads_past_the_navigation(
    live_server: Any, browser: Browser, market: dict[str, str]
) -> None:
    page = browser.new_page()
    page.goto(live_server.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.close()
