"""People who use a site through a browser: what every journey of theirs begins with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from .person import PASSWORD
from .site import Site

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]


@contextmanager
def started_browser(chromium_path: str) -> Iterator[Browser]:
    """A Chromium without a window, closed at the end."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield started
        started.close()


def open_page(browser: Browser, site: Site) -> Page:
    """A browser of one person, with its own cookies."""
    page = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(30_000)
    return page


def sign_up(page: Page, site: Site, name: str) -> str:
    """Sign up, open the letter, confirm the address; the person's e-mail address."""
    email = f"{name.split()[0].lower()}@example.org"
    page.goto("/account/signup/")
    page.get_by_label("Your name").fill(name)
    page.get_by_label(re.compile("E-?mail", re.I)).fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name=re.compile("sign up", re.I)).click()
    page.goto(site.letter_with(email, r"http://[^\s]+(/account/confirm-email/[^\s]+)").group(1))
    page.get_by_role("button", name=re.compile("confirm", re.I)).click()
    page.wait_for_url(re.compile(r"^(?!.*confirm-email)"))
    return email


def become_creator(page: Page, operator: Page, *, handle: str, headline: str, statement: str) -> None:
    """A profile, an application, and an operator who approves it."""
    page.goto("/me/creator/")
    page.get_by_label("Handle").fill(handle)
    page.get_by_label("Headline").fill(headline)
    page.get_by_label("English").check()
    page.get_by_role("button", name="Save").click()
    page.goto("/me/vetting/")
    page.get_by_label("What you make, and that it is yours").fill(statement)
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("waits for an operator").first).to_be_visible()
    operator.goto("/operator/vetting/")
    operator.get_by_role("button", name="Approve").click()
    expect(operator.get_by_text("Approved.")).to_be_visible()


def upload(page: Page, files: list[Path], craft: str) -> None:
    """Files of one craft, attested and consented to; waits until each is a usable work, on the page of works."""
    page.goto("/works/add/")
    page.get_by_label(craft, exact=True).check()
    page.locator("input[type=file]").set_input_files(files)
    page.get_by_label("I state that I made these works").check()
    page.get_by_label("My creation models may learn from these works").check()
    page.get_by_role("button", name="Add these works").click()
    page.wait_for_url(re.compile("/works/uploads/"))
    expect(page.get_by_text(re.compile(rf"\b{len(files)} of {len(files)}\b")).first).to_be_visible(timeout=120_000)
    page.goto("/works/")
    expect(page.get_by_text(f"{len(files)} usable works")).to_be_visible()
