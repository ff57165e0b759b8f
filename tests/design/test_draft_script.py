"""draft.js in a real browser: which words are sent when, and which picture is shown. The answers are the test's own."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser

STATIC = Path(__file__).parents[2] / "src" / "atelier" / "market" / "static" / "atelier"
SITE = "http://atelier.test"

FORM = """
<script type="module" src="/static/draft.js"></script>
<div id="draft" data-draft="/follow">
  <div data-draft-shown><img src="/picture" width="9" height="9" alt="as made"></div>
  <p role="status" data-draft-status data-first="first" data-drawn="drawn" data-slow="slow" data-failed="failed"></p>
  <form method="post" action="/slow">
    <input type="hidden" name="key" value="k">
    <div class="field"><label class="field__label" for="id_brief_headline">Headline</label>
      <input id="id_brief_headline" name="brief_headline" value="Harbour" aria-describedby="help">
      <div class="help" id="help">What is read first.</div></div>
    <input type="file" name="brief_image">
    <button>Keep</button><a href="/page" data-draft-undo>Undo</a>
  </form>
  <template data-draft-error><p class="error"><span></span></p></template>
</div>
"""
RED, BLUE = "data:image/png;base64,AAAA", "data:image/webp;base64,BBBB"


class Form:
    """The page with one field of words, the requests it sent, and the news it is told."""

    def __init__(self, tab: Page) -> None:
        self.tab = tab
        self.sent: list[Route] = []
        tab.route(f"{SITE}/**", lambda route: route.fulfill(body=FORM, content_type="text/html"))
        tab.route(f"{SITE}/static/*", lambda route: route.fulfill(path=STATIC / Path(route.request.url).name))
        tab.route(f"{SITE}/follow", lambda route: self.sent.append(route))
        tab.clock.install(time=datetime(2026, 1, 1))
        tab.goto(f"{SITE}/page")
        # From here time goes on only where a test says so.
        tab.clock.pause_at(datetime(2026, 1, 2))
        self.field = tab.get_by_label("Headline")
        self.picture = tab.locator("img")
        self.status = tab.get_by_role("status")

    def type(self, words: str) -> None:
        """Typed, and then a pause."""
        self.field.fill(words)
        self.tab.clock.run_for(400)

    def answer(self, number: int, state: str = "", **errors: str) -> None:
        """Answer one of the requests, which are waited for, in any order."""
        self.wait_for(number + 1)
        body: dict[str, Any] = {"state": state} if state else {"errors": errors}
        self.sent[number].fulfill(status=202 if state else 422, body=json.dumps(body), content_type="application/json")
        self.tab.wait_for_timeout(50)

    def wait_for(self, requests: int) -> None:
        """Let the browser go on until so many were sent."""
        for _turn in range(100):
            if len(self.sent) >= requests:
                return
            self.tab.wait_for_timeout(50)
        raise AssertionError(f"{len(self.sent)} of {requests} were sent")

    def tell(self, state: str, image: str = RED, **news: Any) -> None:
        """What the worker says."""
        detail = {"state": state, "image": image, "width": 3, "height": 2, "told": f"a picture of {state}", **news}
        self.tab.evaluate(
            "detail => document.querySelector('#draft').dispatchEvent(new CustomEvent('live:drawn', {detail}))", detail
        )


@pytest.fixture
def form(tab: Page) -> Form:
    return Form(tab)


def test_words_are_sent_after_a_pause_and_the_picture_follows_without_moving_the_focus(form: Form) -> None:
    form.field.fill("")
    form.field.press_sequentially("abc")
    form.tab.clock.run_for(200)
    assert form.sent == []
    form.tab.clock.run_for(200)
    form.answer(0, "one")
    assert 'name="brief_headline"\r\n\r\nabc\r\n' in (form.sent[0].request.post_data or "")
    expect(form.picture).to_have_attribute("src", "/picture")
    expect(form.tab.locator("[data-draft-shown][aria-busy]")).to_have_count(1)
    form.tell("one")
    expect(form.picture).to_have_attribute("alt", "a picture of one")
    expect(form.picture).to_have_attribute("src", RED)
    expect(form.status).to_have_text("drawn")
    expect(form.tab.locator("[aria-busy]")).to_have_count(0)
    expect(form.field).to_be_focused()


def test_one_request_is_under_way_and_the_last_words_wait_for_it(form: Form) -> None:
    form.type("one")
    form.answer(0, "1")
    for words in ("two", "three", "four"):
        form.type(words)
    assert len(form.sent) == 1
    form.tell("1")
    form.answer(1, "4")
    assert "four" in (form.sent[1].request.post_data or "")
    form.tell("1", BLUE, told="an older one")
    expect(form.picture).to_have_attribute("alt", "a picture of 1")
    form.tell("4", BLUE)
    expect(form.picture).to_have_attribute("src", BLUE)
    assert len(form.sent) == 2


def test_words_that_return_to_those_under_way_are_not_drawn_twice(form: Form) -> None:
    form.type("one")
    form.answer(0, "1")
    form.type("two")
    form.type("one")
    form.tell("1")
    expect(form.status).to_have_text("drawn")
    form.tab.clock.run_for(1000)
    expect(form.picture).to_have_attribute("alt", "a picture of 1")
    assert len(form.sent) == 1


def test_news_that_comes_before_the_answer_is_shown_with_it(form: Form) -> None:
    form.type("one")
    form.wait_for(1)
    form.tell("early")
    expect(form.picture).to_have_attribute("src", "/picture")
    form.answer(0, "early")
    expect(form.picture).to_have_attribute("alt", "a picture of early")


def test_what_is_wrong_stands_at_its_field_and_the_picture_stays(form: Form) -> None:
    form.type("")
    form.answer(0, id_brief_headline="This is missing.")
    note = form.tab.locator(".field--bad .error")
    expect(note).to_have_text("This is missing.")
    expect(form.field).to_have_attribute("aria-invalid", "true")
    expect(form.field).to_have_attribute("aria-describedby", "id_brief_headline_error help")
    expect(form.status).to_have_text("Headline: This is missing.")
    expect(form.picture).to_have_attribute("src", "/picture")
    expect(form.field).to_be_focused()
    form.type("odd")
    form.answer(1, "odd")
    form.tell("odd", "", problem={"field": "headline", "message": "No font has it."})
    expect(note).to_have_text("No font has it.")
    form.type("even")
    form.answer(2, "even")
    form.tell("even")
    expect(form.tab.locator(".error")).to_have_count(0)
    assert form.field.get_attribute("aria-invalid") is None
    expect(form.field).to_have_attribute("aria-describedby", "help")


def test_undoing_brings_back_words_and_picture_at_once_whatever_is_under_way(form: Form) -> None:
    form.type("one")
    form.answer(0, "1")
    form.tell("1")
    expect(form.picture).to_have_attribute("src", RED)
    form.type("two")
    form.answer(1, "2")
    form.tab.get_by_text("Undo").click()
    expect(form.field).to_have_value("Harbour")
    expect(form.picture).to_have_attribute("alt", "as made")
    form.tell("2", BLUE)
    expect(form.picture).to_have_attribute("src", "/picture")
    expect(form.status).to_have_text("first")
    assert len(form.sent) == 2


def test_an_answer_that_never_comes_holds_up_nothing(form: Form) -> None:
    form.type("one")
    form.answer(0, "1")
    form.tab.clock.run_for(11_000)
    expect(form.status).to_have_text("slow")
    form.tell("1")
    expect(form.picture).to_have_attribute("alt", "a picture of 1")
    form.type("two")
    form.wait_for(2)
    form.sent[1].abort()
    expect(form.status).to_have_text("failed")
    form.type("three")
    form.answer(2, "3")
    form.tell("3", BLUE)
    expect(form.picture).to_have_attribute("src", BLUE)


def test_nothing_but_a_picture_is_shown(form: Form) -> None:
    form.type("one")
    form.answer(0, "1")
    form.tell("1", "https://example.org/a.png")
    expect(form.status).to_have_text("failed")
    expect(form.picture).to_have_attribute("src", "/picture")


def test_after_the_words_are_kept_nothing_more_is_sent(form: Form) -> None:
    form.field.fill("one")
    form.tab.get_by_role("button", name="Keep").click()
    form.tab.clock.run_for(1000)
    assert form.sent == []
