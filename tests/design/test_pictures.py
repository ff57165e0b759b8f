"""Covers and charts: the same for the same input, readable, and honest about what is missing."""

from __future__ import annotations

import random
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from django.template import Context, Template

from atelier.market.core.charts import figure, line_chart, picture, spark_path, ticks
from atelier.market.core.covers import contrast, cover_svg


def test_a_cover_is_the_same_every_time_and_another_for_another_seed() -> None:
    assert cover_svg("Bread", ["#112233", "#f0e0d0"], 7) == cover_svg("Bread", ["#112233", "#f0e0d0"], 7)
    assert len({cover_svg("Bread", [], seed) for seed in range(40)}) > 20


@pytest.mark.parametrize("seed", range(60))
def test_a_cover_is_well_formed_and_its_title_is_read(seed: int) -> None:
    chance = random.Random(seed)
    palette = [f"#{chance.randrange(1 << 24):06x}" for _ in range(seed % 6)]
    svg = cover_svg('Salt & <light> "and" bread', palette, seed)
    drawing = ElementTree.fromstring(svg)
    assert contrast(drawing[0].attrib["fill"], drawing[-1].attrib["fill"]) >= 4.5
    assert " ".join(text.text or "" for text in drawing[-1]) == 'Salt & <light> "and" bread'


def test_a_cover_takes_no_colour_that_is_none_and_no_title_that_is_too_long() -> None:
    svg = cover_svg("word " * 16, ['"/><script>', "red", "#12345"], 1)
    assert "script" not in svg
    assert len(re.findall("<text", svg)) <= 3


@pytest.mark.parametrize(("low", "high"), [(0, 1), (2.7, 3.95), (-3, 12), (49.9, 49.9), (0, 0), (1e-6, 3e-6), (0, 9e9)])
def test_ticks_are_round_and_hold_all_values(low: float, high: float) -> None:
    found = ticks(low, high)
    assert found[0] <= low
    assert found[-1] >= high
    assert 2 <= len(found) <= 8
    steps = {round((after - before) / (found[1] - found[0]), 6) for before, after in pairwise(found)}
    assert steps == {1}


def test_a_line_chart_leaves_out_what_was_not_measured() -> None:
    rows = [{"step": 0, "train": 4.0, "validation": 4.1}, {"step": 10, "train": 3.0}, {"step": 20, "validation": 3.2}]
    chart = line_chart(rows, "step", {"train": "Training", "validation": "Held out", "test": "Never"})
    assert chart is not None
    assert [line.name for line in chart.lines] == ["Training", "Held out"]
    assert chart.rows == [["0", "4", "4.1"], ["10", "3", "–"], ["20", "–", "3.2"]]
    assert line_chart([], "step", {"train": "Training"}) is None
    assert line_chart([{"step": 1, "train": float("nan")}], "step", {"train": "Training"}) is None


def test_names_at_the_ends_of_lines_never_stand_on_each_other() -> None:
    rows = [{"x": place, "a": 1.0, "b": 1.0, "c": 1.0} for place in range(3)]
    chart = line_chart(rows, "x", {"a": "A", "b": "B", "c": "C"})
    assert chart is not None
    ends = sorted(line.end_y for line in chart.lines)
    assert ends[1] - ends[0] >= 14
    assert ends[2] - ends[1] >= 14


BARS = [
    {"label": "Base", "value": 10, "low": 5, "high": 20},
    {"label": "This one", "value": 20, "low": 20, "high": 20, "ours": True},
]


def drawn(**changes: object) -> str:
    """A picture as a page shows it."""
    given = {"title": "Words taken over", "bars": BARS, "least": 0, "most": 40, "unit": "words", **changes}
    return Template("{% load charts %}{% picture drawn %}").render(Context({"drawn": given}))


def test_bars_keep_their_proportions_and_intervals_on_one_axis() -> None:
    chart = picture(BARS, 0, 40, "words", 30)
    assert chart is not None
    first, second = chart.bars
    assert (first.start, first.length, second.length) == (0, 25, 50)
    assert (first.low, first.at, first.high, chart.limit) == (12.5, 25, 50, 75)
    assert (first.interval_text, second.interval_text) == ("5 – 20", "")
    assert [bar.ours for bar in chart.bars] == [False, True]
    assert picture([{"label": "Nothing"}], 0, 1, "", None) is None


def test_per_cent_is_told_to_a_tenth_and_what_is_less_is_not_called_nothing() -> None:
    chart = picture([{"value": share} for share in (0.00272, 0.00021, 0.38462, 1)], 0, 1, "share", None)
    assert chart is not None
    assert [bar.value_text for bar in chart.bars] == ["0.3 %", "0.021 %", "38.5 %", "100 %"]


def test_bars_grow_from_zero_to_both_sides_and_end_where_the_axis_ends() -> None:
    chart = picture([{"value": -0.5, "low": -3, "high": 0.5}, {"value": 9}], -1, 1, "share", None)
    assert chart is not None
    less, more = chart.bars
    assert (less.start, less.length, chart.zero) == (25, 25, 50)
    assert (less.low, less.high) == (0, 75)
    assert (more.start + more.length, more.value_text) == (100, "900 %")
    assert (less.value_text, less.interval_text) == ("−50 %", "−300 % – 50 %")
    in_per_cent = picture([{"value": 62.5}], 0, 100, "%", None)
    assert in_per_cent is not None
    assert (in_per_cent.bars[0].value_text, in_per_cent.bars[0].at, in_per_cent.unit) == ("62.5 %", 62.5, "")
    beyond_zero = picture([{"value": 7}], 5, 9, "", None)
    assert beyond_zero is not None
    assert (beyond_zero.bars[0].start, beyond_zero.bars[0].length) == (0, 50)


def test_a_picture_says_in_words_and_in_its_table_what_it_draws() -> None:
    html = drawn(limit=30, limit_label="What writers quote")
    told = re.search(r'role="img" aria-label="([^"]*)"', html)
    assert told is not None
    assert told[1].split("; ") == ["Words taken over: Base 10 (5 – 20)", "This one 20", "What writers quote 30"]
    table = html[html.index("<table") :]
    for cell in (">Base<", ">10<", ">5 – 20<", ">This one<", ">20<", ">What writers quote<", ">30<"):
        assert cell in table
    assert html.count("picture__row--ours") == 1
    assert html.count('class="picture__limit"') == 3


def test_a_picture_has_no_inline_style_and_takes_words_as_words() -> None:
    bars = [{"label": "<script>", "value": 1}]
    html = drawn(title='<b onclick="x">', bars=bars, limit=2, limit_label='"><i>')
    assert "style=" not in html
    for tag in ("<script", "<b ", "<i>"):
        assert tag not in html


def test_without_a_picture_nothing_is_drawn() -> None:
    template = Template("{% load charts %}{% picture drawn %}")
    assert template.render(Context({"drawn": None})).strip() == ""
    assert drawn(bars=[]).strip() == ""


def test_a_chart_says_the_same_in_its_table() -> None:
    template = Template("{% load charts %}{% line_chart 'How it went' rows x='step' y='train=Training' unit='loss' %}")
    html = template.render(Context({"rows": [{"step": 0, "train": 3.456}, {"step": 5, "train": 2.5}]}))
    assert 'role="img"' in html
    assert "<details" in html
    assert "3.46" in html
    empty = template.render(Context({"rows": []}))
    assert "<svg" not in empty
    assert "Nothing measured yet" in empty


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (34.21, "34.2"), (0.01234, "0.0123"), (1234567, "1,234,567"), (-2.5, "−2.5"), (3, "3")],
)
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert figure(value) == text


def test_a_sparkline_needs_two_values() -> None:
    assert spark_path([1.0]) == ""
    assert spark_path([1, 2, 3]).count("L") == 2
