"""The copy of the tree in which mutants are made and run (mutmut), and what it knows of them.

A run goes on where the last one stopped, as long as the source of the room is the same: what a test
noticed stays noticed, what escaped is run again with the tests as they are committed now.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "build" / "mutants"
NUMBER = re.compile(r"__mutmut_\d+$")
OPTIONS = ("-p", "no:randomly", "-p", "mutants_plugin", "--hypothesis-seed=1", "-x")
# What fails is not made smaller: that it fails is enough. What is built once (rules, tables, an
# engine) is built again in each file of tests, or a fault in what builds it would never be met.
PLUGIN = """import functools
import gc
from hypothesis import Phase, settings
seen = set()
def pytest_runtest_setup(item):
    if item.path in seen:
        return
    seen.add(item.path)
    for each in gc.get_objects():
        if isinstance(each, functools._lru_cache_wrapper):
            if (each.__module__ or "").startswith("shared."):
                each.cache_clear()
        elif type(each).__name__ == "Engine" and hasattr(each, "_parts"):
            each._parts = None
            each._said.clear()
settings.register_profile("mutants", phases=[Phase.explicit, Phase.generate], database=None)
settings.load_profile("mutants")
"""
AROUND = 30  # characters
_WORD = re.compile(r"\w+|\s+|[^\w\s]+")
SENTENCE = re.compile(r"\w[:,]? \w|^ \w+ \w|[。、]")

type _Function = ast.FunctionDef | ast.AsyncFunctionDef


class Tree:
    """A room's copy: its sources, and the tests that should notice."""

    def __init__(self, room: str, sources: tuple[str, ...], tests: tuple[str, ...]) -> None:
        self._folder = COPY / room
        self._sources, self._tests = sources, tests

    def prepare(self) -> None:
        """Make the copy, or bring the tests of the one that is there up to date."""
        stamp = self._folder / "sources.txt"
        now = _git("rev-parse", *(f"HEAD:{path}" for path in self._sources)).decode()
        known = stamp.exists() and stamp.read_text(encoding="utf-8") == now
        if not known:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            self._unpack()
            self._configure()
            stamp.write_text(now, encoding="utf-8")
        else:
            self._unpack("tests")
        # A name that no mutant has: they are all made, the tests timed, and nothing is run.
        self.run(["none.*"])

    def _unpack(self, *paths: str) -> None:
        tree = _git("archive", "HEAD", *paths)
        subprocess.run(["tar", "x"], cwd=self._folder, input=tree, check=True)

    def _configure(self) -> None:
        (self._folder / "mutants_plugin.py").write_text(PLUGIN, encoding="utf-8")
        also = [each.name for each in self._folder.iterdir()]
        config = {
            "source_paths": list(self._sources),
            "pytest_add_cli_args_test_selection": list(self._tests),
            "pytest_add_cli_args": [*OPTIONS],
            "also_copy": also,
        }
        with (self._folder / "pyproject.toml").open("a", encoding="utf-8") as out:
            out.write("\n[tool.mutmut]\n")
            for name, value in config.items():
                out.write(f"{name} = {json.dumps(value)}\n")

    def run(self, names: Iterable[str]) -> None:
        """Run these mutants; their ends are then in ``codes``."""
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", "2", *names]
        with (self._folder / "last.txt").open("w", encoding="utf-8") as out:
            subprocess.run(command, cwd=self._folder, stdout=out, stderr=out, check=False)

    def codes(self) -> dict[str, int | None]:
        """Each mutant by its name, with the exit code of its run; None: not run."""
        found: dict[str, int | None] = {}
        for meta in (self._folder / "mutants").rglob("*.meta"):
            found |= json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        return found

    def texts(self) -> set[str]:
        """Mutants that change nothing but a sentence that people read."""
        return {name for name, original, made in self._pairs() if _text_only(original, made)}

    def planted(self, names: Iterable[str]) -> dict[str, str]:
        """By name, what was planted: ``around [as it is → as planted] around``."""
        wanted = set(names)
        return {
            name: change(_source(original), _source(made))
            for name, original, made in self._pairs()
            if name in wanted
        }

    def _pairs(self) -> Iterator[tuple[str, _Function, _Function]]:
        """Each mutant by its name: the function as it is, and as it was planted."""
        for meta in (self._folder / "mutants").rglob("*.meta"):
            path = meta.with_suffix("")
            module = ".".join(path.relative_to(self._folder / "mutants").with_suffix("").parts)
            functions = {each.name: each for each in _functions(path)}
            for name, made in functions.items():
                original = functions.get(NUMBER.sub("__mutmut_orig", name))
                if NUMBER.search(name) and original:
                    yield f"{module.removesuffix('.__init__')}.{name}", original, made


def change(before: str, after: str) -> str:
    """Where two texts differ, in whole words, with a little of what stands around.

    >>> change("zip(one, two, strict=True)", "zip(one, two, strict=None)")
    'zip(one, two, strict=[True → None])'
    """
    old, new = _WORD.findall(before), _WORD.findall(after)
    start = _alike(old, new)
    most = min(len(old), len(new)) - start
    end = min(most, _alike(old[::-1], new[::-1]))
    left, right = "".join(old[:start])[-AROUND:], "".join(old[len(old) - end :])[: AROUND // 3]
    was, made = "".join(old[start : len(old) - end]), "".join(new[start : len(new) - end])
    return " ".join(f"{left}[{was} → {made}]{right}".split())


def _alike(one: list[str], other: list[str]) -> int:
    """How many words the two begin with alike."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _source(function: _Function) -> str:
    """The function without its own name, as ``ast.unparse`` writes it."""
    return ast.unparse(function).replace(function.name, "", 1)


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True).stdout


def _functions(path: Path) -> Iterator[_Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _text_only(before: ast.AST, after: ast.AST) -> bool:
    """Whether the two differ in sentences alone, and do differ."""
    differences = list(_differences(before, after))
    return bool(differences) and all(differences)


def _differences(before: object, after: object) -> Iterator[bool]:
    """For each place where the two differ: whether a sentence stood there (or its variable)."""
    if not isinstance(before, ast.AST):
        if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
            for one, other in zip(before, after, strict=True):
                yield from _differences(one, other)
        elif before != after:
            yield False
    elif _is_text(before):
        if not isinstance(after, ast.AST) or ast.dump(before) != ast.dump(after):
            yield type(after) in {type(before), ast.Constant}
    elif type(before) is not type(after):
        yield False
    else:
        named = isinstance(before, ast.FunctionDef | ast.AsyncFunctionDef)
        for field in before._fields:
            if not (named and field == "name"):
                yield from _differences(getattr(before, field), getattr(after, field))


def _is_text(node: object) -> bool:
    """A sentence, or what an error's text is carried in: ``message``, ``str(error)``."""
    if isinstance(node, ast.JoinedStr):
        return any(map(_is_text, node.values))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(SENTENCE.search(node.value))
    return isinstance(node, ast.Name | ast.Call) and ast.unparse(node) in {"message", "str(error)"}
