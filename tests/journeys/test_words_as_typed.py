"""A sample that follows its words: typed in a browser, kept, bought. With the small engine of pictures."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from trial.person import wait_for
from trial.site import Site, rows
from trial.walk import Walk

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SKETCH = "sketch=atelier.workshop.contract.fake.sketch:SketchEngine"
DRAWN = "The picture has your words."
WAIT_MS = 60_000


def _sheet(number: int) -> tuple[str, tuple[str, bytes, str]]:
    """One drawing of a few shapes, as a file of an upload."""
    chance = random.Random(number)
    shapes = "".join(
        f'<rect x="{chance.randrange(90)}" y="{chance.randrange(50)}" width="{side}" height="{side}" fill="{colour}"/>'
        for side, colour in (
            (chance.randrange(10, 30), chance.choice(("#b3392b", "#1f4e79", "#d9a441"))) for _ in "1234567"
        )
    )
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 80">{shapes}</svg>'
    return "files", (f"sheet-{number}.svg", drawing.encode(), "image/svg+xml")


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """A creation model of pictures on offer, and a buyer."""
    with Site(tmp_path_factory.mktemp("site"), engines=SKETCH) as site:
        walk = Walk.begin(site, engine="sketch", brief={"subject": "bread"})
        walk.become_creator()
        sent = walk.creator.call(
            "POST",
            "/uploads",
            headers={"Idempotency-Key": uuid.uuid4().hex},
            data={"engine": "sketch", "attested": "true", "consent": "true"},
            files=[_sheet(number) for number in range(6)],
        )
        batch = f"/uploads/{sent[0]['batch']}"
        wait_for(
            lambda: all(each["state"] == "inspected" for each in walk.creator.call("GET", batch)),
            "the works to be read",
        )
        model, _ = walk.train()
        walk.publish(model["id"])
        walk.model_id = model["id"]  # type: ignore[attr-defined]
        yield walk


@pytest.fixture
def page(market: Walk, browser: Browser) -> Iterator[Page]:
    """The buyer's own tab, on the page where the words of a new sample are changed."""
    made = market.generate(market.model_id, samples=1)  # type: ignore[attr-defined]
    context = browser.new_context(base_url=market.site.url, viewport={"width": 1280, "height": 900})
    cookies = market.buyer.web.cookies
    context.add_cookies([{"name": c.name, "value": c.value or "", "url": market.site.url} for c in cookies])
    tab = context.new_page()
    failures: list[str] = []
    tab.on("pageerror", lambda error: failures.append(str(error)))
    tab.goto(f"/generations/{made['id']}/")
    tab.get_by_text("Make another like this").click()
    tab.get_by_role("link", name=re.compile("Other words")).click()
    yield tab
    context.close()
    assert not failures


def _picture(page: Page) -> str:
    return page.locator("#draft img.piece").get_attribute("src") or ""


def _type(page: Page, words: str) -> None:
    page.get_by_label("Subject").fill("")
    page.get_by_label("Subject").press_sequentially(words, delay=20)


def test_typed_words_are_seen_kept_and_bought(market: Walk, page: Page) -> None:
    before = _picture(page)
    _type(page, "Lantern walk at dusk")
    expect(page.locator("#draft img.piece")).to_have_attribute(
        "alt", re.compile("Lantern walk at dusk"), timeout=WAIT_MS
    )
    expect(page.get_by_role("status").filter(has_text=DRAWN)).to_be_visible()
    expect(page.get_by_label("Subject")).to_be_focused()
    shown = _picture(page)
    assert shown.startswith("data:image/")
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        wrong = [each for each in Axe().run(page).response["violations"] if each["impact"] in {"serious", "critical"}]
        assert not wrong

    # Words that cannot be: told at their field, while the picture stays.
    page.get_by_label("Subject").fill("")
    expect(page.locator("#id_brief_subject_error")).to_be_visible()
    assert _picture(page) == shown
    page.get_by_role("link", name="Undo the changes").click()
    expect(page.get_by_label("Subject")).to_have_value("bread")
    expect(page.locator("#id_brief_subject_error")).to_have_count(0)
    assert _picture(page) == before

    _type(page, "Lantern walk at dawn")
    page.get_by_role("button", name="Keep these words").dblclick()
    page.wait_for_url(re.compile(r"/generations/[0-9a-f-]{36}/$"))
    kept = page.url.rstrip("/").rpartition("/")[2]
    expect(page.get_by_role("link", name=re.compile("Personal"))).to_have_count(1, timeout=WAIT_MS)
    expect(page.locator("article img.piece:visible")).to_have_attribute("alt", re.compile("Lantern walk at dawn"))
    made = market.buyer.call("GET", f"/generations/{kept}")
    assert ["Lantern walk at dawn" in output["shown"]["told"] for output in made["outputs"]] == [True]
    assert rows(market.site, "SELECT count(*) FROM generation_generation WHERE parent_id IS NOT NULL") == [(1,)]
    assert rows(market.site, "SELECT count(*) FROM generation_draft") == [(0,)]
    files = market.files(market.buy(made["outputs"][0]["id"])["licence_id"])
    assert b"Lantern walk at dawn" in files["svg"]
    page.goto("/generations/")
    assert "dusk" not in page.content()


def test_a_worker_that_is_killed_while_words_are_typed_leaves_nothing_stuck(market: Walk, page: Page) -> None:
    _type(page, "First words")
    expect(page.locator("#draft img.piece")).to_have_attribute("alt", re.compile("First words"), timeout=WAIT_MS)
    with page.expect_response(re.compile("/follow/$")):
        _type(page, "Words of a hard night")
        assert market.site.kill("atelier.config.worker")
    expect(page.locator("#draft img.piece")).to_have_attribute(
        "alt", re.compile("Words of a hard night"), timeout=WAIT_MS
    )
    expect(page.locator("#draft [aria-busy]")).to_have_count(0)
    assert rows(market.site, "SELECT count(*) FROM generation_draft WHERE NOT answered") == [(0,)]


def test_without_scripts_the_same_form_makes_the_piece(market: Walk, browser: Browser, page: Page) -> None:
    context = browser.new_context(base_url=market.site.url, java_script_enabled=False)
    context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    plain = context.new_page()
    plain.goto(page.url)
    plain.get_by_label("Subject").fill("By hand alone")
    plain.get_by_role("button", name="Keep these words").click()
    kept = re.search(r"/generations/([0-9a-f-]{36})/", plain.url)
    assert kept

    def made() -> object:
        found = market.buyer.call("GET", f"/generations/{kept.group(1)}")
        return found["outputs"] and "By hand alone" in found["outputs"][0]["shown"]["told"]

    wait_for(made, "the piece")
    context.close()
