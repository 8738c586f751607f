"""The reader of Bicep: what stands in infra/ is sound, and a mistake in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from local.bicep import names, shapes
from local.bicep.evaluate import Deployment
from local.bicep.expressions import NotReadError
from local.bicep.nodes import Dot, If, Index, Op, Ref
from local.bicep.template import load
from tests.unit.infra.house import INFRA

FILES = sorted(INFRA.rglob("*.bicep"))
MISSPELT = yaml.safe_load((Path(__file__).parent / "misspelt.yaml").read_text(encoding="utf-8"))


def problems(template):
    return names.problems(template) + shapes.problems(template)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_infra_names_and_shapes_are_sound(path):
    assert problems(load(path)) == []


@pytest.mark.parametrize(("file", "old", "new", "words"), MISSPELT)
def test_mistake_in_infra_is_found(file, old, new, words):
    (path,) = [each for each in FILES if each.name == file and each.parent.name != "entra"]
    text = path.read_text(encoding="utf-8")
    assert old in text
    found = problems(load(path, text.replace(old, new)))
    assert any(words in each for each in found), found


def variable(source):
    return load(Path("x.bicep"), f"var x = {source}\n").variables["x"]


def value(source, **given):
    params = "".join(f"param {name} object\n" for name in given)
    template = load(Path("x.bicep"), f"{params}var x = {source}\n")
    return Deployment(template, given).value(Ref("x"), {})


def test_expression_binds_as_bicep_binds():
    assert variable("a.b == 'x' || c && !d") == Op(
        "||",
        (
            Op("==", (Dot(Ref("a"), "b"), "x")),
            Op("&&", (Ref("c"), Op("!", (Ref("d"),)))),
        ),
    )
    assert variable("a[i].b.c[0]") == Index(Dot(Dot(Index(Ref("a"), Ref("i")), "b"), "c"), 0)
    assert variable("a == 1 ? b : c") == If(Op("==", (Ref("a"), 1)), Ref("b"), Ref("c"))


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("1 + 2 * 3 - 4", 3),
        ("'a${'b'}c'", "abc"),
        ("[for (n, i) in ['a', 'b']: '${n}${i}']", ["a0", "b1"]),
        ("filter([1, 2, 3], n => n > 1 && n != 3)", [2]),
        ("union({ a: 1 }, { b: 2 }).b", 2),
        ("empty('') ? split('x,y', ',') : []", ["x", "y"]),
        ("toObject(items({ k: 'v' }), e => e.value, e => e.key).v", "k"),
        ("p.list[1]", "y"),
    ],
)
def test_expression_has_the_value_that_bicep_gives(source, wanted):
    assert value(source, p={"list": ["x", "y"]}) == wanted


@pytest.mark.parametrize(
    "source", ["var x = ", "resource r 'A/b@1' = {", "param a string\nvar a = 1"]
)
def test_what_is_no_bicep_is_refused(source):
    with pytest.raises(NotReadError):
        load(Path("x.bicep"), source + "\n")


def test_every_type_of_resource_has_a_model_or_a_reason():
    kinds = {
        f"{each.kind}@{each.version}" for path in FILES for each in load(path).resources.values()
    }
    known = {*shapes.MODELS, *shapes.WITHOUT}
    assert not [kind for kind in kinds if not known & {kind, kind.partition("@")[0]}]
    assert not [kind for kind in known if not any(k.startswith(kind) for k in kinds)]


def test_no_file_needs_a_registry_but_the_directorys():
    for path in FILES:
        template = load(path)
        assert all(not each.path.startswith("br") for each in template.modules.values())
        assert bool(template.extensions) == (path.parent.name == "entra")
