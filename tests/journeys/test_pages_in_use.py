"""Every page that a creator, a buyer and an operator reach by links, on a market where something happened."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect
from trial.person import Person
from trial.site import Site
from trial.walk import Walk

pytestmark = [pytest.mark.slow, pytest.mark.browser]

MANY = 60
# Any word may follow any other, so that what is written repeats no work word for word.
WORKS = [
    {
        "title": f"Piece {number}",
        "text": " ".join(f"word{word}" for word in random.Random(number).sample(range(60), 40)),
    }
    for number in range(MANY)
]
# Another room's house (Django's own), and what is not a page.
LEFT_OUT = re.compile(r"^/(operator/admin|api|account/logout|live|static)|/file/$|\.csv$|/files/|/export/")
LINKS = "[...document.querySelectorAll('a[href]')].filter(a => !a.hasAttribute('download')).map(a => a.href)"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
EXPECTED = {
    "creator": {"/works/", "/works/N/", "/studio/N/", "/studio/runs/N/", "/studio/versions/N/", "/earnings/"},
    "buyer": {"/generations/N/", "/purchases/N/", "/licences/N/", "/conversations/N/", "/models/N/brief/", "/verify/"},
    "operator": {
        "/operator/vetting/",
        "/operator/ledger/",
        "/operator/ledger/transactions/N/",
        "/operator/ledger/accounts/N/",
        "/operator/resemblances/",
    },
}


@pytest.fixture(scope="module")
def market(quick_site: Site) -> Walk:
    """A market with a sale, a conversation, an application that waits, and works that resemble another creator’s."""
    walk = Walk.begin(quick_site, engine="fake", brief={"subject": "bread"})
    walk.become_creator()
    walk.upload(WORKS)
    model, _ = walk.train(personal_minor=1299)
    walk.publish(model["id"])
    for number in range(3):
        made = walk.generate(model["id"], samples=2, subject=f"bread number {number}")
    walk.files(walk.buy(made["outputs"][0]["id"])["licence_id"])
    walk.write_to_creator(made["outputs"][0]["id"], "Donaudampfschifffahrtsgesellschaftskapitän\n" * 4)
    other = Person(quick_site, "Cem Copyist").sign_up().make_token()
    second = Walk(quick_site, other, walk.buyer, walk.operator, engine="fake")
    profile = {"handle": "cem-copies", "headline": "Copies", "languages": ["en"]}
    other.call("PUT", "/me/creator", json=profile)
    other.call("POST", "/me/vetting", json={"statement": "I have written short texts for nine years; they are mine."})
    second.upload(WORKS[:8])
    return walk


def _context(browser: Browser, person: Person, **more: Any) -> BrowserContext:
    """The person's own browser, signed in."""
    context = browser.new_context(base_url=person.site.url, **more)
    context.add_cookies([{"name": c.name, "value": c.value or "", "url": person.site.url} for c in person.web.cookies])
    return context


def _pattern(path: str) -> str:
    """The address with every id as N, so that each kind of page is visited once."""
    path = re.sub(r"[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "N", path)
    return re.sub(r"(?<=/)\d+(?=/)", "N", re.sub(r"/@[^/]+/[^/]+/$", "/@N/N/", path))


def _visit(page: Page, origin: str) -> Iterator[str]:
    """Goes to one page of each kind that links lead to; yields its pattern while the page is open."""
    waiting, known = ["/", "/me/"], {"/", "/me/"}
    while waiting:
        path = waiting.pop(0)
        answer = page.goto(path)
        assert answer is not None
        assert answer.status < 400, f"{path}: {answer.status}"
        yield _pattern(path)
        for link in page.evaluate(LINKS):
            parts = urlsplit(link)
            if f"{parts.scheme}://{parts.netloc}" != origin or LEFT_OUT.search(parts.path):
                continue
            if _pattern(parts.path) not in known:
                known.add(_pattern(parts.path))
                waiting.append(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def _beside_in_other_ways(page: Page) -> list[str]:
    """What is beside the screen of the open page when it is zoomed in, in large letters, or from right to left."""
    found = []
    # 1280 px at 200 % is a screen of 640 CSS pixels.
    for width, told in (
        (640, "document.documentElement.dir = 'rtl'"),
        (640, "document.documentElement.dir = 'ltr'"),
        (1280, "document.documentElement.style.fontSize = '200%'"),
    ):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(told)
        if (beside := page.evaluate(SIDEWAYS)) > 0:
            found.append(f"{page.url}: {beside} px beside a screen of {width} after {told}")
    page.set_viewport_size({"width": 1280, "height": 800})
    return found


@pytest.mark.parametrize("who", ["creator", "buyer", "operator"])
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_every_page_in_use_fits_its_screen_and_is_open_to_everyone(
    market: Walk, browser: Browser, who: str, width: int, scheme: Literal["dark", "light"]
) -> None:
    context = _context(browser, getattr(market, who), viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(f"{page.url}: {error}"))
    seen: set[str] = set()
    for pattern in _visit(page, market.site.url):
        seen.add(urlsplit(pattern).path)
        if (beside := page.evaluate(SIDEWAYS)) > 0:
            failures.append(f"{page.url}: {beside} px beside a screen of {width}")
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in {"serious", "critical"}:
                failures.append(f"{page.url}: {violation['id']}: {violation['nodes'][0]['html'][:200]}")
        failures += _beside_in_other_ways(page) if width == 1280 else []
    context.close()
    assert not failures
    assert seen >= EXPECTED[who], EXPECTED[who] - seen


def test_a_page_that_watched_the_writing_says_what_to_do_now_without_a_reload(market: Walk, browser: Browser) -> None:
    context = _context(browser, market.buyer, viewport={"width": 360, "height": 800})
    page = context.new_page()
    model = market.creator.call("GET", "/models")["items"][0]
    page.goto(f"/models/{model['id']}/brief/")
    page.get_by_label("Subject").fill("bread at night")
    page.locator("#main form button.button--primary").click()
    page.wait_for_url("**/generations/*/")
    address = page.url
    page.evaluate("window.opened = true")
    expect(page.locator(".page__lead")).to_contain_text("Choose a piece", timeout=30_000)
    expect(page.locator(".page__actions")).to_contain_text("Vary")
    assert (page.url, page.evaluate("window.opened")) == (address, True)
    context.close()
