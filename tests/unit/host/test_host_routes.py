from __future__ import annotations

import pytest

from local.host.blob_paths import BlobPath
from local.host.errors import HostRefusedError
from local.host.keys import Keys
from local.host.routes import Route


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("a/{x}", "a/1", {"x": "1"}),
        ("a/{x}", "A/1/", {"x": "1"}),
        ("a/{x}", "a", None),
        ("a/{x}", "a/1/2", None),
        ("a/{x?}", "a", {}),
        ("a/{x=7}", "a", {"x": "7"}),
        ("a/{x=7}", "a/8", {"x": "8"}),
        ("a/{*rest}", "a/b/c", {"rest": "b/c"}),
        ("a/{*rest}", "a", {}),
        ("a/{x}-{y}", "a/1-2", {"x": "1", "y": "2"}),
        ("{x:int}", "-5", {"x": "-5"}),
        ("{x:int}", "2147483648", None),
        ("{x:long}", "2147483648", {"x": "2147483648"}),
        ("{x:int:min(3)}", "2", None),
        ("{x:int:min(3)}", "3", {"x": "3"}),
        ("{x:range(1,3)}", "4", None),
        ("{x:length(2)}", "ab", {"x": "ab"}),
        ("{x:length(2)}", "abc", None),
        ("{x:maxlength(2)}", "abc", None),
        ("{x:minlength(2)}", "a", None),
        ("{x:bool}", "TRUE", {"x": "TRUE"}),
        ("{x:alpha}", "a1", None),
        (
            "{x:guid}",
            "5a1c9a3e-7e0b-4c0e-9a61-6f0b5e3d2c71",
            {"x": "5a1c9a3e-7e0b-4c0e-9a61-6f0b5e3d2c71"},
        ),
        ("{x:guid}", "5a1c9a3e", None),
        ("a.b/{x}", "aXb/1", None),
    ],
)
def test_route_matches(template, path, expected):
    assert Route.parse(template, where="t").match(path) == expected


@pytest.mark.parametrize("template", ["{x:datetime}", "{x:regex(a)}", "{x:min}", "a/{x", "{}"])
def test_route_that_is_not_understood_is_refused(template):
    with pytest.raises(HostRefusedError, match="subject"):
        Route.parse(template, where="subject")


def test_route_order_puts_the_specific_one_first():
    routes = [Route.parse(each, where="t") for each in ("{*all}", "a/{x}", "a/b", "{y}")]
    ordered = [each.template for each in sorted(routes, key=lambda each: each.order)]
    assert ordered.index("a/b") < ordered.index("a/{x}") < ordered.index("{*all}")
    assert ordered.index("{y}") < ordered.index("{*all}")


@pytest.mark.parametrize(
    ("path", "blob", "expected"),
    [
        ("c", "x/y", {"name": "x/y"}),
        ("c/{name}", "x/y", {"name": "x/y"}),
        ("c/{name}.eml", "x.eml", {"name": "x"}),
        ("c/{name}.eml", "x.emlx", None),
        ("c/{name}.eml", "xXeml", None),
        ("c/mail/{name}", "files/x", None),
        ("c/{a}/{b}.txt", "総務/x.txt", {"a": "総務", "b": "x"}),
    ],
)
def test_blob_path_matches(path, blob, expected):
    parsed = BlobPath.parse(path, where="t")
    assert (parsed.container, parsed.match(blob)) == ("c", expected)


@pytest.mark.parametrize("path", ["{c}/x", "c/{a b}", "c/{rand-guid}", "/x"])
def test_blob_path_that_is_no_pattern_is_refused(path):
    with pytest.raises(HostRefusedError, match="subject"):
        BlobPath.parse(path, where="subject")


@pytest.mark.parametrize(
    ("level", "given", "opens"),
    [
        ("anonymous", None, True),
        ("function", None, False),
        ("function", "", False),
        ("function", "host", True),
        ("function", "master", True),
        ("admin", "host", False),
        ("admin", "master", True),
        ("system", "host", False),
        ("system", "master", True),
    ],
)
def test_key_opens_its_levels_alone(level, given, opens):
    keys = Keys("host", "master")
    assert keys.opens(level, given) is opens
    assert Keys("host", "master", enabled=False).opens(level, given)


def test_keys_are_made_up_where_none_is_set_and_do_not_show():
    first, second = (Keys.load({}, enabled=True) for _ in range(2))
    assert len({first.host, first.master, second.host, second.master}) == 4
    assert first.master not in repr(first)
    assert Keys.load({"SEKISHO_HOST_KEY": "k"}, enabled=True).host == "k"
