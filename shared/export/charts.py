"""Charts of the monthly report: SVG by pygal, without its scripts, fit to stand inside a page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import east_asian_width

import pygal  # type: ignore[import-untyped] # ships no types
from pygal.style import Style  # type: ignore[import-untyped] # the same

FONT = "Noto Sans JP, Noto Sans CJK JP, Hiragino Sans, Yu Gothic UI, Meiryo, sans-serif"
COLOURS: Mapping[str, str] = {
    "block": "#ce0000", "review": "#e26a00", "tag": "#3460fb", "allow": "#b3b3b3",
}  # fmt: skip
BLUE = "#4979f5"
LABEL = 13  # pixels
ROW = 34  # pixels that a row of a horizontal chart takes
# pygal writes its configuration as a script and its own address as comments: neither is needed.
_EXTRA = re.compile(r"<script.*?</script>|<!--.*?-->|<\?.*?\?>", re.DOTALL)


def _style(colours: Sequence[str]) -> Style:
    return Style(
        colors=tuple(colours),
        background="white",
        plot_background="white",
        foreground="#1a1a1a",
        foreground_strong="#1a1a1a",
        foreground_subtle="#8c8c8c",
        font_family=FONT,
        label_font_size=LABEL,
        major_label_font_size=LABEL,
        legend_font_size=14,
        value_font_size=13,
        opacity="1",
        opacity_hover="1",
        transition="none",
        guide_stroke_color="#d8d8db",
        major_guide_stroke_color="#d8d8db",
        guide_stroke_dasharray="2,4",
        major_guide_stroke_dasharray="2,4",
    )


def _plain(chart: Any) -> str:
    svg = _EXTRA.sub("", chart.render(is_unicode=True, disable_xml_declaration=True))
    assert "<script" not in svg
    return svg


_SHAPE: dict[str, Any] = {
    "js": [], "width": 960, "explicit_size": False, "show_legend": True, "margin": 8,
    "legend_at_bottom": True, "legend_box_size": 14, "tooltip_border_radius": 0,
}  # fmt: skip


def stacked(labels: Sequence[str], series: Sequence[tuple[str, str, Sequence[int]]]) -> str:
    """Columns of ``(kind, name, values)``, in the colours of the kinds."""
    chart = pygal.StackedBar(
        **{**_SHAPE, "legend_at_bottom_columns": len(series)},
        style=_style([COLOURS[kind] for kind, _, _ in series]),
        height=340,
        show_y_guides=True,
        value_formatter=_whole,
        x_labels_major_every=5,
        show_minor_x_labels=False,
        truncate_label=-1,
        show_x_guides=False,
    )
    chart.x_labels = list(labels)
    for _, name, values in series:
        chart.add(name, list(values))
    return _plain(chart)


def ranked(labels: Sequence[str], series: Sequence[tuple[str, str, Sequence[int]]]) -> str:
    """Rows, the first on top, each of one or more stacked pieces."""
    chart = pygal.HorizontalStackedBar(
        **{**_SHAPE, "show_legend": len(series) > 1, "legend_at_bottom_columns": len(series)},
        style=_style([COLOURS.get(kind, BLUE) for kind, _, _ in series]),
        height=ROW * len(labels) + (90 if len(series) > 1 else 56),
        margin_left=8 + max(map(_short_by, labels), default=0),
        value_formatter=_whole,
        truncate_label=-1,
        truncate_legend=-1,
    )
    chart.x_labels = list(reversed(labels))
    for _, name, values in series:
        chart.add(name, list(reversed(values)))
    return _plain(chart)


def columns(labels: Sequence[str], values: Sequence[int]) -> str:
    """Plain columns with their values on top."""
    chart = pygal.Bar(
        **{**_SHAPE, "show_legend": False},
        style=_style([BLUE]),
        height=260,
        value_formatter=_whole,
        print_values=True,
        print_values_position="top",
        truncate_label=-1,
    )
    chart.x_labels = list(labels)
    chart.add("", list(values))
    return _plain(chart)


def _short_by(label: str) -> int:
    """Pixels by which pygal, which counts 0.6 em a character, sees a label too short."""
    wide = sum(east_asian_width(char) in "WF" for char in label)
    return round(wide * 0.4 * LABEL)


def _whole(value: float | None) -> str:
    return f"{value or 0:,.0f}"
