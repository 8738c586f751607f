"""HTML: what is shown stays together, what is not shown is given apart, nothing is dropped."""

from __future__ import annotations

import pytest

from shared.extract import extract
from shared.extract.markup import scan
from shared.model import Content, GapCode


def read(source: str, *, xml: bool = False):
    return scan(source, lambda: None, xml=xml)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>12<b>34</b><i>56</i></p>", "123456"),
        ("12<!-- c -->34", "1234"),
        ("a<br>b<BR/>c", "a\nb\nc"),
        ("<div>a</div><div>b</div>", "a\n\nb"),
        ("a\n  b\tc", "a b c"),
        ("<pre>a\n  b</pre>", "a\nb"),
        ("&lt;&#12354;&#x3042;&nbsp;&yen;", "<ああ\xa0¥"),
        ("a < b and b > c", "a < b and b > c"),
        ("1 <2> 3", "1 <2> 3"),
        ("<textarea>memo</textarea>", "memo"),
        ("<p title='a>b'>x</p>", "x"),
        ("<p title=a/b>x", "x"),
        ("x<!DOCTYPE y>z<?php w?>", "xz"),
        ("<option>a<option>b", "a\nb"),
        ("x<style>p{}</style>y<script>1<2</script>z", "xyz"),
    ],
)
def test_html_shows_what_a_browser_shows(source, text):
    assert read(source).text == text


def test_html_table_is_rows_and_cells():
    head = "<tr><th>氏名</th><th>番号</th></tr>"
    row = "<tr><td><p>山田</p></td><td>1<br>2</td></tr>"
    page = read(f"<p>前</p><table>{head}{row}</table>後")
    assert page.table
    assert page.text == "前\n\n氏名\t番号\n山田\t1 2\n\n後"


def test_html_layout_table_is_lines_and_its_inner_table_a_table():
    inner = "<table><tr><td>a<td>b<tr><td>c<td>d</table>"
    page = read(f"<table><tr><td><p>一行目</p><p>二行目</p>{inner}</td></tr></table>")
    assert page.text == "一行目\n\n二行目\n\na\tb\nc\td"


def test_html_one_digit_a_cell_stays_one_row():
    cells = "".join(f"<td>{digit}</td>" for digit in "0123")
    assert read(f"<table><tr>{cells}</tr></table>").text == "0\t1\t2\t3"


def test_html_gives_attributes_comments_and_scripts_apart():
    page = read(
        '<a href="https://example.jp/?n=1&amp;m=2">x</a><img alt="写真の番号"><input value=3>'
        "<!-- 覚え書き --><!--[if mso]><p>条件</p><![endif]--><script>var n=4;</script>"
    )
    assert page.text == "x"
    assert page.attributes.split("\n") == ["https://example.jp/?n=1&m=2", "写真の番号", "3"]
    assert "覚え書き" in page.comments
    assert "条件" in page.comments
    assert page.scripts == "var n=4;"


@pytest.mark.parametrize(
    "style",
    [
        'style="display:none"',
        "style='color:red;visibility: hidden'",
        'style="font-size:0px"',
        "hidden",
    ],
)
def test_html_hidden_element_does_not_cut_what_is_shown(style):
    page = read(f"12<span {style}>見えない<span>中</span></span>34<br hidden>56")
    assert page.text.replace("\n", "") == "123456"
    assert page.hidden == "見えない中"


def test_html_unterminated_constructs_lose_nothing():
    everything = "".join(map(str, vars_of(read("a<!-- b")))) + "".join(
        vars_of(read("a<p title='b"))
    )
    assert everything.count("b") >= 2
    assert read("x<script>y").scripts == "y"


def vars_of(page) -> list[str]:
    return [page.text, page.comments, page.attributes, page.scripts, page.hidden]


def test_xml_elements_are_lines_and_sections_are_text():
    page = read("<?xml version='1.0'?><a 番号='1'><b>二</b><![CDATA[<三>]]></a>", xml=True)
    assert [line for line in page.text.split("\n") if line] == ["二", "<三>"]
    assert page.attributes == "1"


def test_xml_entities_are_not_resolved_and_are_a_gap():
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "0123"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    extraction, _ = extract(Content(bomb, "a.xml"), clock=lambda: 0.0)
    assert GapCode.PARTIAL in {gap.code for gap in extraction.gaps}
    assert any("0123" in segment.text for segment in extraction.segments)
    assert sum(len(segment.text) for segment in extraction.segments) < 2 * len(bomb)
