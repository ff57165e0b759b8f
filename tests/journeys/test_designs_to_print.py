"""Pictures from upload to print, as people walk it: a designer trains on their drawings, a buyer takes the files."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from design_works import WILMA, files_of
from playwright.sync_api import Browser, Locator, Page, expect
from pypdf import PdfReader
from trial.browsing import become_creator, open_page, sign_up, upload
from trial.site import Site, rows

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.engine]

TRAINING_MS = 600_000
SAMPLES_MS = 180_000
SAYS = "Posters from circles and squares"
STATEMENT = "I draw for markets and cafés, and these are mine."
HEADLINE = "Harbour Lights"
KEPT = "Winter Lights"
BRIEF = {
    "Headline or name": HEADLINE,
    "Date and time": "Saturday 18 July, from 6 pm",
    "Place or address": "Old Pier, Saltmarsh",
    "Call to action": "Bring a lantern",
    "Subject": "boat",
}
A3_POINTS = (297 / 25.4 * 72, 420 / 25.4 * 72)
LOADED = "image => image.complete && image.naturalWidth > 0"
OWN_TAGS = "SELECT own_tags FROM studio_versionpart WHERE own_tags IS NOT NULL"
VETOED = "SELECT cardinality(vetoed) FROM studio_version"


def _seen(pictures: Locator) -> None:
    """Every one of these pictures is there, is drawn, and is told in words to whoever cannot see it."""
    for number in range(pictures.count()):
        picture = pictures.nth(number)
        picture.scroll_into_view_if_needed()
        handle = picture.element_handle()
        picture.page.wait_for_function(LOADED, arg=handle)
        assert (picture.get_attribute("alt") or "").strip()


def _see_the_works(page: Page, count: int) -> None:
    """On the page of works each is a picture."""
    pictures = page.locator("main img.preview")
    expect(pictures).to_have_count(count)
    _seen(pictures)


def _train(page: Page) -> None:
    page.goto("/studio/new/")
    page.get_by_label("Name").fill("Cut from paper")
    page.get_by_label("Craft").select_option(label="Graphic design")
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("button", name="Train on these works").click()
    page.wait_for_url(re.compile("/studio/runs/"))
    expect(page.get_by_role("link", name=re.compile("proof", re.I)).first).to_be_visible(timeout=TRAINING_MS)
    page.get_by_role("link", name=re.compile("proof", re.I)).first.click()


def _judge_the_proof(page: Page, site: Site) -> None:
    """The four answers, the sheets to be judged by eye, and a motif that is vetoed, allowed again, and renamed."""
    for question in ("fidelity", "worth", "copying", "safety"):
        expect(page.locator(f"#{question}")).to_be_visible()
    sheets = page.locator("figure.sheet img")
    assert sheets.count()
    _seen(sheets)
    motif = page.locator("li.part:has(img)").first
    _seen(motif.locator("img"))
    part = page.locator(f"#{motif.get_attribute('id')}")
    part.get_by_role("button", name=re.compile("^Do not use")).click()
    expect(part.get_by_text("not used")).to_be_visible()
    assert rows(site, VETOED) == [(1,)]
    part.get_by_role("button", name=re.compile("^Use it again")).click()
    expect(part.get_by_text("not used")).to_have_count(0)
    assert rows(site, VETOED) == [(0,)]
    part = page.locator(f"#{page.locator('li.part:has(details)').first.get_attribute('id')}")
    part.get_by_text(re.compile("^Change tags")).click()
    part.get_by_label("Tags, parted by commas").fill("submarine, U-Boot")
    part.get_by_role("button", name=re.compile("^Save")).click()
    expect(part.get_by_text("your words")).to_be_visible()
    assert rows(site, OWN_TAGS) == [(["submarine", "U-Boot"],)]


def _price_and_publish(page: Page) -> None:
    page.goto("/studio/")
    page.get_by_role("link", name="Cut from paper").first.click()
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Personal licence").fill("19.00")
    page.get_by_label("Commercial licence").fill("59.00")
    page.get_by_label("Exclusive licence").fill("290.00")
    page.get_by_role("button", name="Save").click()
    anyway = page.locator("input[name=anyway]")
    if anyway.count():
        anyway.check()
    page.get_by_role("button", name=re.compile("^Publish")).click()
    expect(page.get_by_text(re.compile("published", re.I)).first).to_be_visible()


def _watch_samples(page: Page) -> None:
    page.goto("/@dora-draws/cut-from-paper/")
    page.get_by_role("link", name="Write a brief").first.click()
    page.get_by_label("What it is").select_option(label="Poster")
    for label, words in BRIEF.items():
        page.get_by_label(label).fill(words)
    page.get_by_label("2 samples").check()
    page.get_by_role("button", name="Make samples").click()
    page.wait_for_url(re.compile("/generations/"))
    _finished(page, 2)


def _finished(page: Page, samples: int) -> None:
    """All pictures of a generation are there."""
    expect(page.get_by_role("link", name=re.compile("Personal"))).to_have_count(samples, timeout=SAMPLES_MS)
    pictures = page.locator("article img.piece:visible")
    expect(pictures).to_have_count(samples)
    _seen(pictures)


def _make_another(page: Page) -> None:
    """The same colours in another layout, from the first sample."""
    before = page.url
    first = page.locator("article").first
    first.get_by_text("Make another like this").click()
    first.get_by_role("button", name=re.compile("Same colours, other layout")).click()
    page.wait_for_url(lambda url: "/generations/" in url and url != before)
    _finished(page, 2)
    expect(page.get_by_role("link", name="The sample this was made from")).to_be_visible()


def _change_the_words(page: Page) -> None:
    """Another headline, seen on the very piece as it is typed, and kept."""
    page.locator("article").first.get_by_text("Make another like this").click()
    page.locator("article").first.get_by_role("link", name=re.compile("Change the words")).click()
    piece = page.locator("#draft img.piece")
    before = piece.get_attribute("src")
    page.get_by_label("Headline or name").fill(KEPT)
    expect(piece).to_have_attribute("alt", re.compile(KEPT), timeout=SAMPLES_MS)
    _seen(piece)
    assert piece.get_attribute("src") != before
    assert (piece.get_attribute("src") or "").startswith("data:image/webp;base64,")
    page.get_by_role("button", name="Keep these words").click()
    page.wait_for_url(re.compile(r"/generations/[0-9a-f-]{36}/$"))
    _finished(page, 1)


def _unpaid(page: Page) -> list[str]:
    """The open page's HTML, once it is sure that its pieces are small WebP pictures and nothing else."""
    for kind in page.locator("article .output__kind").all():
        assert not re.search(r"<(svg|path|text|image|object|embed|iframe)\b", kind.inner_html())
    for picture in page.locator("article img.piece:visible").all():
        answer = page.request.get(picture.get_attribute("src") or "")
        assert answer.headers["content-type"] == "image/webp"
        assert answer.body()[8:12] == b"WEBP"
    return [page.content(), page.request.get(page.url).text()]


def _buy(page: Page) -> None:
    page.get_by_role("link", name=re.compile("Personal")).first.click()
    expect(page.get_by_text("$19.00 USD").first).to_be_visible()
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_role("button", name=re.compile("pay", re.I)).click()
    page.get_by_role("link", name="Open the licence and its files").click()
    page.wait_for_url(re.compile("/licences/"))
    _seen(page.locator("article img.piece"))


def _download(page: Page, form: str, folder: Path) -> Path:
    link = page.locator(f"main a[href$='/files/{form}/']")
    expect(link).to_be_visible(timeout=120_000)
    with page.expect_download(timeout=60_000) as taken:
        link.click()
    path = folder / taken.value.suggested_filename
    taken.value.save_as(path)
    return path


def _check_drawing(path: Path) -> list[str]:
    """It parses, holds the words as words, and runs nothing; the outlines of its shapes."""
    root = ET.fromstring(path.read_bytes())
    elements = list(root.iter())
    written = " ".join("".join(each.itertext()) for each in elements if each.tag.endswith("}text"))
    assert KEPT.casefold() in " ".join(written.split()).casefold()
    assert not [each for each in elements if each.tag.rpartition("}")[2] in {"script", "foreignObject"}]
    assert not [name for each in elements for name in each.attrib if name.lower().startswith("on")]
    assert [each.get("href") for each in elements if (each.get("href") or "#")[0] != "#"] == []
    return [each.get("d", "") for each in elements if len(each.get("d", "")) > 24]


def _check_print(path: Path) -> None:
    pages = PdfReader(path).pages
    assert len(pages) == 1
    assert (float(pages[0].trimbox.width), float(pages[0].trimbox.height)) == pytest.approx(A3_POINTS, abs=0.05)
    assert pages[0].bleedbox.width > pages[0].trimbox.width


def test_a_designer_trains_on_thirty_drawings_and_a_buyer_licenses_a_poster_for_print(
    real_site: Site, browser: Browser, tmp_path: Path
) -> None:
    designer, buyer, operator = (open_page(browser, real_site) for _ in range(3))
    sign_up(designer, real_site, "Dora Drawer")
    real_site.manage("make_operator", sign_up(operator, real_site, "Oda Operator"))
    become_creator(designer, operator, handle="dora-draws", headline=SAYS, statement=STATEMENT)
    works = files_of(WILMA)
    upload(designer, works, "Graphic design")
    _see_the_works(designer, len(works))
    _train(designer)
    _judge_the_proof(designer, real_site)
    _price_and_publish(designer)

    sign_up(buyer, real_site, "Bo Buyer")
    _watch_samples(buyer)
    sent = _unpaid(buyer)
    _make_another(buyer)
    sent += _unpaid(buyer)
    _change_the_words(buyer)
    sent += _unpaid(buyer)
    _buy(buyer)
    drawing = _download(buyer, "svg", tmp_path)
    outlines = _check_drawing(drawing)
    assert outlines
    assert not [d for d in outlines for page in sent if d in page]
    _check_print(_download(buyer, "pdf", tmp_path))

    buyer.goto("/verify/")
    buyer.locator("input[type=file]").set_input_files(drawing)
    buyer.get_by_role("button", name="Look it up").click()
    expect(buyer.get_by_text("Cut from paper").first).to_be_visible()

    (licence,) = rows(real_site, "SELECT id FROM licences_licence")
    designer.goto(f"/licences/{licence[0]}/")
    expect(designer.get_by_role("heading", name="Which of your works shaped this sale")).to_be_visible()
    expect(designer.get_by_text("These works stand out")).to_be_visible(timeout=120_000)
    ((told, shares, works),) = rows(
        real_site,
        "SELECT max(a.told), sum(s.parts), count(*) FROM licences_saleattribution a"
        " JOIN licences_saleshare s ON s.attribution_id = a.id",
    )
    assert works
    assert told == pytest.approx(float(str(shares)), abs=float(str(works)))
    assert 0 < float(str(told)) <= 1_000_000
    for (title,) in rows(real_site, "SELECT w.title FROM licences_saleshare s JOIN works_work w ON w.id = s.work_id"):
        expect(designer.locator("#shaped")).to_contain_text(str(title))
