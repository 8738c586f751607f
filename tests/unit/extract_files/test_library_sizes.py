"""The libraries that read formats stay small, and are wheels for this Python."""

from __future__ import annotations

import re

from bench.sizes import BEGIN, END, PAGE, imported, libraries

MEGABYTES = 95


def test_format_libraries_are_within_their_size():
    rows = libraries()
    assert {"lxml", "pypdfium2", "rars"} <= {one.name for one in rows}
    assert sum(one.megabytes for one in rows) <= MEGABYTES, rows


def test_format_libraries_are_wheels_for_this_python_and_none_is_gpl():
    for one in libraries():
        assert any(re.match(r"(cp313-|cp3\d+-abi3-|py2\.py3-|py3-|py2-)", tag) for tag in one.tags)
        assert not re.search(r"(?<!L)GPL", one.licence), one


def test_table_of_sizes_names_the_libraries_that_are_imported():
    table = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    names = set(re.findall(r"^\| ([\w.-]+) ", table, re.MULTILINE)) - {"library"}
    assert names == {one.name for one in libraries()}, "run: python bench/sizes.py --write"
    assert imported()
