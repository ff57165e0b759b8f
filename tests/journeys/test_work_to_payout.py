"""The whole way through the house, as people walk it: read this from top to bottom to know what Atelier does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from trial.browsing import become_creator, open_page, sign_up, upload
from trial.site import Site, rows

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.engine]

TRAINING_MS = 600_000
SAMPLES_MS = 120_000
HEADLINE = "Short texts with an end to them"
STATEMENT = "I have written short texts for small makers for nine years, and these are mine."


def _train(page: Page) -> None:
    """A creation model with prices, and a training watched live until its proof is there."""
    page.goto("/studio/new/")
    page.get_by_label("Name").fill("Fables for grown-ups")
    page.get_by_label("Craft").select_option(label="Copywriting")
    page.get_by_label("Personal licence").fill("12.99")
    page.get_by_label("How much of a sample is shown before purchase, in percent").fill("40")
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("button", name="Train on these works").click()
    page.wait_for_url(re.compile("/studio/runs/"))
    expect(page.locator("progress").first).to_be_visible(timeout=60_000)
    expect(page.get_by_role("link", name=re.compile("proof", re.I)).first).to_be_visible(timeout=TRAINING_MS)


def _read_the_proof_and_publish(page: Page) -> None:
    page.get_by_role("link", name=re.compile("proof", re.I)).first.click()
    for question in ("fidelity", "worth", "copying", "safety"):
        expect(page.locator(f"#{question}")).to_be_visible()
    page.goto("/studio/")
    page.get_by_role("link", name="Fables for grown-ups").first.click()
    anyway = page.locator("input[name=anyway]")
    if anyway.count():
        anyway.check()
    page.get_by_role("button", name=re.compile("^Publish")).click()
    expect(page.get_by_text(re.compile("published", re.I)).first).to_be_visible()


def _watch_samples(page: Page) -> str:
    """A brief, and two samples that appear word by word; the opening of the first."""
    page.goto("/@ada-writes/fables-for-grown-ups/")
    page.get_by_role("link", name="Write a brief").first.click()
    page.get_by_label("Product or subject").fill("a hand-made blue coffee mug")
    page.get_by_label("2 samples").check()
    page.get_by_role("button", name="Make samples").click()
    page.wait_for_url(re.compile("/generations/"))
    opening = page.locator("[data-sample='0']").first
    expect(opening).to_contain_text(re.compile(r"\w+ \w+"), timeout=SAMPLES_MS)
    expect(page.get_by_role("link", name=re.compile("Personal")).first).to_be_visible(timeout=SAMPLES_MS)
    return page.locator("article").first.inner_text()


def _buy(page: Page) -> None:
    page.get_by_role("link", name=re.compile("Personal")).first.click()
    expect(page.get_by_text("$12.99 USD").first).to_be_visible()
    page.get_by_label("Card number").fill("4000 0000 0000 9995")
    page.get_by_role("button", name=re.compile("pay", re.I)).click()
    expect(page.get_by_text(re.compile("declined|not enough", re.I)).first).to_be_visible()
    page.get_by_role("link", name=re.compile("again|another card", re.I)).first.click()
    page.get_by_label("Card number").fill("4000 0000 0000 3220")
    page.get_by_role("button", name=re.compile("pay", re.I)).click()
    page.get_by_role("button", name="Confirm the payment").click()
    page.get_by_role("link", name="Open the licence and its files").click()
    page.wait_for_url(re.compile("/licences/"))


def _download(page: Page) -> bytes:
    """The master and the certificate; the master's bytes."""
    with page.expect_download(timeout=60_000) as certificate:
        page.get_by_role("link", name=re.compile("certificate.*pdf|pdf.*certificate", re.I)).first.click()
    assert certificate.value.path().read_bytes().startswith(b"%PDF")
    with page.expect_download() as master:
        page.get_by_role("link", name=re.compile(r"\.txt|plain text", re.I)).first.click()
    return master.value.path().read_bytes()


def test_a_creator_trains_on_forty_works_and_a_buyer_licenses_what_the_model_writes(
    real_site: Site, browser: Browser, forty_works: list[dict[str, Any]], tmp_path: Path
) -> None:
    files = []
    for number, work in enumerate(forty_works):
        files.append(tmp_path / f"{number:02d}.txt")
        files[-1].write_text(f"{work['title']}\n\n{work['text']}", "utf-8")
    creator, buyer, operator = (open_page(browser, real_site) for _ in range(3))

    sign_up(creator, real_site, "Ada Maker")
    real_site.manage("make_operator", sign_up(operator, real_site, "Oda Operator"))
    become_creator(creator, operator, handle="ada-writes", headline=HEADLINE, statement=STATEMENT)
    upload(creator, files, "Copywriting, Marketing")
    _train(creator)
    _read_the_proof_and_publish(creator)

    sign_up(buyer, real_site, "Bo Buyer")
    shown = _watch_samples(buyer)
    _buy(buyer)
    whole = _download(buyer)
    assert len(whole.decode().split()) > 20
    assert whole.decode().strip() not in shown

    buyer.goto("/verify/")
    (tmp_path / "bought.txt").write_bytes(whole)
    buyer.locator("input[type=file]").set_input_files(tmp_path / "bought.txt")
    buyer.get_by_role("button", name=re.compile("look|check|verify", re.I)).first.click()
    expect(buyer.get_by_text(re.compile("Fables for grown-ups")).first).to_be_visible()

    buyer.goto("/licences/")
    buyer.locator("main a[href*='/licences/']").first.click()
    buyer.get_by_role("button", name=re.compile("Work with", re.I)).or_(
        buyer.get_by_role("link", name=re.compile("Work with", re.I))
    ).first.click()
    buyer.locator("textarea").fill("Could you shorten this for a label?")
    buyer.get_by_role("button", name=re.compile("send", re.I)).click()

    creator.goto("/conversations/")
    creator.locator("main a[href*='/conversations/']").first.click()
    expect(creator.get_by_text("Could you shorten this for a label?")).to_be_visible()
    buyer.locator("textarea").fill("A second thought arrives live.")
    buyer.get_by_role("button", name=re.compile("send", re.I)).click()
    expect(creator.get_by_text("A second thought arrives live.")).to_be_visible(timeout=15_000)

    creator.goto("/earnings/")
    expect(creator.get_by_text("$11.69 USD").first).to_be_visible()
    operator.goto("/operator/ledger/")
    expect(operator.locator("main")).to_contain_text(re.compile(r"\$0\.00 USD"))
    assert rows(real_site, "SELECT sum(balance_minor) FROM ledger_account") == [(0,)]
