"""live.js and enhance.js in a real browser, fed by answers the tests write."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser

STATIC = Path(__file__).parents[2] / "src" / "atelier" / "market" / "static" / "atelier"
SITE = "http://atelier.test"
WORDS = (
    '<div id="words" hidden data-reconnecting="Reconnecting…" data-steps="{done} of {planned} steps" '
    'data-given-up="It no longer hears." data-reload="Reload" '
    'data-minutes-left="about {n} min left" data-seconds-left="about {n} s left" data-copied="Copied" '
    'data-copy-failed="By hand" data-words="{n} words" data-drop-here="Drop files here"></div>'
)


class Site:
    """Answers a tab's requests: the page, the static files, one stream whose frames each connection gets in turn."""

    def __init__(self, tab: Page) -> None:
        self.tab = tab
        self.body = ""
        self.connections: list[list[str]] = []
        self.asked: list[str] = []
        self.posted: list[str] = []
        tab.route(f"{SITE}/**", self.answer)

    def answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(SITE)
        if route.request.method == "POST":
            self.posted.append(route.request.post_data or "")
            route.abort() if path == "/slow" else route.fulfill(status=204)
        elif path.startswith("/static/"):
            route.fulfill(path=STATIC / path.rpartition("/")[2])
        elif path.startswith("/live"):
            self.asked.append(path)
            if not self.connections:
                route.fulfill(status=503)
            else:
                frames = "".join(self.connections.pop(0))
                route.fulfill(body=f"retry: 10\n\n{frames}", content_type="text/event-stream")
        else:
            route.fulfill(body=self.page(), content_type="text/html")

    def page(self) -> str:
        script = '<script type="module" src="/static/live.js"></script>'
        head = f'<head><meta charset="utf-8"><title>Trial</title>{script}</head>'
        return f'<!doctype html><html lang="en">{head}<body>{WORDS}{self.body}</body></html>'

    def open(self, body: str, *connections: list[str]) -> None:
        self.body = body
        self.connections = list(connections)
        self.tab.goto(f"{SITE}/page")


def until(tab: Page, condition: Callable[[], bool]) -> None:
    """Let the browser go on until something is so; a test that waits in vain fails."""
    for _turn in range(200):
        if condition():
            return
        tab.wait_for_timeout(50)
    raise AssertionError("It did not come about.")


def frame(number: int, kind: str, **data: Any) -> str:
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"


@pytest.fixture
def site(tab: Page) -> Site:
    return Site(tab)


SAMPLES = (
    '<section data-live="/live/ticket?since=4">'
    '<div><div class="a" data-live-append="preview" data-sample="0">A</div></div>'
    '<div><div class="b" data-live-append="preview" data-sample="1"></div><p data-live-spoken></p></div></section>'
)


def test_text_is_appended_to_its_own_sample_and_never_read_as_markup(site: Site, tab: Page) -> None:
    frames = [
        frame(5, "preview", sample=0, payload={"append": " warm"}),
        frame(6, "preview", sample=1, append="<b>Dry"),
        frame(7, "preview", sample=1, append=" wit</b>"),
    ]
    site.open(SAMPLES, frames)
    expect(tab.locator(".a")).to_have_text("A warm")
    expect(tab.locator(".b")).to_have_text("<b>Dry wit</b>")
    assert site.asked[0] == "/live/ticket?since=4"
    expect(tab.locator("[data-live-spoken]")).to_have_text("<b>Dry wit</b>", timeout=8000)


def test_a_restart_empties_what_was_written_so_far(site: Site, tab: Page) -> None:
    site.open(
        SAMPLES,
        [
            frame(5, "preview", sample=1, append="Lost"),
            frame(6, "restarted"),
            frame(7, "preview", sample=1, append="New"),
        ],
    )
    expect(tab.locator(".b")).to_have_text("New")
    expect(tab.locator(".a")).to_have_text("")


FRAME = (
    '<section data-live="/live/ticket?since=4"><div class="c" data-live-picture="preview" data-sample="0">'
    '<img alt="a poster" hidden><p>soon</p></div></section>'
)
DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg=="
)


def test_each_picture_takes_the_place_of_the_one_before_and_nothing_else_is_shown(site: Site, tab: Page) -> None:
    frames = [
        frame(5, "preview", sample=1, payload={"image": DOT, "width": 9, "height": 9}),
        frame(6, "preview", sample=0, payload={"image": DOT, "width": 3, "height": 2}),
        frame(7, "preview", sample=0, payload={"image": DOT, "width": 6, "height": 4}),
        frame(8, "preview", sample=0, payload={"image": "https://example.org/a.png", "width": 60, "height": 40}),
    ]
    site.open(FRAME, frames)
    shown = tab.locator(".c img")
    expect(shown).to_have_attribute("width", "6")
    expect(shown).to_have_attribute("src", DOT)
    expect(tab.locator(".c")).to_have_class("c is-shown")


def test_a_restart_takes_the_picture_away_until_there_is_a_new_one(site: Site, tab: Page) -> None:
    site.open(
        FRAME, [frame(5, "preview", sample=0, payload={"image": DOT, "width": 3, "height": 2}), frame(6, "restarted")]
    )
    until(tab, lambda: len(site.asked) > 1)
    expect(tab.locator(".c img")).to_be_hidden()
    expect(tab.locator(".c")).to_have_class("c")


def test_a_lost_connection_is_said_calmly_and_goes_on_after_the_last_event(site: Site, tab: Page) -> None:
    site.open(SAMPLES, [frame(5, "preview", sample=1, append="One ")])
    expect(tab.locator(".live-mark")).to_have_text("Reconnecting…")
    site.connections = [[frame(6, "preview", sample=1, append="two")]]
    expect(tab.locator(".b")).to_have_text("One two", timeout=15000)
    assert "since=5" in site.asked[-1]


def test_after_minutes_without_a_connection_it_stops_trying_and_offers_to_reload(site: Site, tab: Page) -> None:
    tab.clock.install()
    site.open(SAMPLES)
    button = tab.get_by_role("button", name="Reload")

    def waited() -> bool:
        expect(tab.locator(".live-mark")).to_be_visible()
        tab.clock.run_for(10_000)
        return button.is_visible()

    until(tab, waited)
    expect(tab.locator(".live-mark")).to_contain_text("It no longer hears.")
    tries = len(site.asked)
    assert tries >= 10, "a server that starts anew is waited for"
    tab.clock.run_for(600_000)
    tab.wait_for_timeout(200)
    assert len(site.asked) == tries
    button.click()
    until(tab, lambda: len(site.asked) > tries)


def test_one_success_in_between_begins_the_count_anew(site: Site, tab: Page) -> None:
    tab.clock.install()
    site.open(SAMPLES)

    def passes(condition: Callable[[], bool]) -> bool:
        tab.clock.run_for(31_000)
        return condition()

    for number in range(1, 5):
        for _try in range(3):
            seen = len(site.asked)
            until(tab, partial(passes, lambda seen=seen: len(site.asked) > seen))
        site.connections = [[frame(number, "preview", sample=1, append="on ")]]
        until(tab, partial(passes, lambda: not site.connections))
        expect(tab.locator(".b")).to_have_text(("on " * number).strip())
    assert tab.get_by_role("button", name="Reload").count() == 0


PROGRESS = (
    '<section data-live="/live/ticket"><div data-live-progress="progress"><span data-progress-steps></span>'
    "<span data-progress-left></span><progress></progress><p data-progress-note></p></div></section>"
)


def test_progress_is_shown_in_steps_time_and_words(site: Site, tab: Page) -> None:
    site.open(PROGRESS, [frame(1, "progress", done=12, planned=40, stage="Learning", note="", seconds_left=130)])
    expect(tab.locator("[data-progress-steps]")).to_have_text("12 of 40 steps")
    expect(tab.locator("[data-progress-left]")).to_have_text("about 3 min left")
    expect(tab.locator("[data-progress-note]")).to_have_text("Learning")
    assert tab.locator("progress").evaluate("bar => [bar.value, bar.max]") == [12, 40]


def test_a_part_is_fetched_anew_and_its_new_streams_are_opened(site: Site, tab: Page) -> None:
    before = '<section id="run" data-live="/live/one" data-live-refresh="state">Waiting</section>'
    site.open(before, [frame(1, "state", state="running")])
    site.body = (
        '<section id="run" data-live="/live/two" data-live-refresh="state"><p>Running</p>'
        '<details id="more"><summary>More</summary></details></section>'
    )
    expect(tab.locator("#run p").first).to_have_text("Running")
    expect(tab.locator("#run")).to_have_attribute("data-live", "/live/two")
    until(tab, lambda: any(path.startswith("/live/two") for path in site.asked))


def test_parts_outside_of_the_live_one_are_fetched_with_it(site: Site, tab: Page) -> None:
    heard = 'data-live="/live/x" data-live-refresh="finished" data-refresh-with="head foot"'
    whole = (
        '<p id="head">{0}</p>'
        + f'<section id="made" {heard}>{{0}}</section>'
        + '<p id="foot">{0}</p><p id="else">{0}</p>'
    )
    site.open(whole.format("writing"))
    site.body = whole.format("done")
    site.connections = [[frame(1, "finished")]]
    for name in ("head", "made", "foot"):
        expect(tab.locator(f"#{name}")).to_contain_text("done", timeout=15000)
    expect(tab.locator("#else")).to_have_text("writing")


def test_events_are_handed_on_to_other_scripts(site: Site, tab: Page) -> None:
    site.open('<section data-live="/live/x" data-live-kinds="message"></section>')
    tab.evaluate("() => addEventListener('live:message', event => (window.heard = event.detail.text))")
    site.connections = [[frame(3, "message", text="hello")]]
    tab.wait_for_function("() => window.heard === 'hello'", timeout=15000)


def test_a_double_click_sends_a_form_once_with_the_button_that_was_pressed(site: Site, tab: Page) -> None:
    site.open(
        '<form method="post" action="/slow"><input name="word" value="kept">'
        '<button name="go" value="now">Go</button></form>'
    )
    tab.locator("button").dblclick(no_wait_after=True)
    until(tab, lambda: bool(site.posted))
    assert site.posted == ["word=kept&go=now"]


def test_words_are_counted_while_one_writes(site: Site, tab: Page) -> None:
    site.open('<label for="t">Text</label><textarea id="t" data-count>two words</textarea>')
    expect(tab.locator(".count")).to_have_text("2 words")
    tab.fill("textarea", "now there are four")
    expect(tab.locator(".count")).to_have_text("4 words")


def test_files_can_be_dropped_one_after_the_other(site: Site, tab: Page) -> None:
    site.open('<label for="f">Files</label><input id="f" type="file" multiple data-drop>')
    drop = """([name, size]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(size)], name));
        const options = {dataTransfer: data, bubbles: true, cancelable: true};
        document.querySelector('.drop').dispatchEvent(new DragEvent('drop', options));
    }"""
    tab.evaluate(drop, ["one.txt", 1500])
    tab.evaluate(drop, ["two.txt", 2500000])
    expect(tab.locator(".drop__files li")).to_have_text(["one.txt · 1.5 kB", "two.txt · 2.5 MB"])
    assert tab.locator("input").evaluate("input => input.files.length") == 2


CONFIRM = (
    '<details class="confirm"><summary class="button">Erase</summary>'
    '<form method="post" action="/erase"><h2 id="h">Erase</h2>'
    '<label for="n">Name</label><input id="n" name="confirm_name" required pattern="A\\.B"><button>Erase it</button>'
    '<button type="button" data-close data-needs-js hidden>Keep it</button></form></details>'
)


def test_a_destructive_act_asks_for_the_name_in_a_dialog(site: Site, tab: Page) -> None:
    site.open(CONFIRM)
    tab.locator("summary").click()
    expect(tab.locator("dialog")).to_be_visible()
    tab.locator("dialog input").fill("AxB")
    tab.get_by_text("Erase it").click()
    assert site.posted == []
    tab.get_by_text("Keep it").click()
    expect(tab.locator("dialog")).to_be_hidden()
    tab.locator("summary").click()
    tab.locator("dialog input").fill("A.B")
    tab.get_by_text("Erase it").click()
    until(tab, lambda: bool(site.posted))
    assert site.posted == ["confirm_name=A.B"]


def test_the_theme_is_kept_in_the_cookie_that_the_server_reads(site: Site, tab: Page) -> None:
    site.open(
        '<p data-needs-js hidden><button data-theme-choice="dark">Dark</button>'
        '<button data-theme-choice="">Any</button></p>'
    )
    tab.get_by_text("Dark").click()
    assert tab.evaluate("() => [document.documentElement.dataset.theme, document.cookie]") == ["dark", "theme=dark"]
    tab.get_by_text("Any").click()
    assert tab.evaluate("() => [document.documentElement.dataset.theme ?? '', document.cookie]") == ["", ""]


def test_menus_close_on_escape_and_give_the_focus_back(site: Site, tab: Page) -> None:
    site.open('<details class="menu"><summary>Menu</summary><a href="/x">X</a></details>')
    tab.locator("summary").click()
    tab.keyboard.press("Escape")
    assert tab.evaluate("() => [document.querySelector('details').open, document.activeElement.tagName]") == [
        False,
        "SUMMARY",
    ]


def test_times_are_told_from_now_with_the_exact_one_kept(site: Site, tab: Page) -> None:
    site.open('<time datetime="2001-01-01T00:00:00Z" data-relative>1 January 2001</time>')
    expect(tab.locator("time")).to_contain_text("years ago")
    expect(tab.locator("time")).to_have_attribute("title", "1 January 2001")
