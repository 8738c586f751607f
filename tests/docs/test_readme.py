"""The README's promises that a machine can hold."""

from __future__ import annotations

import re
from pathlib import Path

from local.samples import samples

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FLOW = README.split("```mermaid")[1].split("```")[0]


def test_flow_names_every_function_file():
    files = {p.stem for p in (ROOT / "functions").glob("*.py")} - {"__init__", "health"}
    words = set(re.findall(r"[a-z_]+", FLOW))
    assert files <= words


def test_flow_names_exactly_the_queues_that_triggers_read():
    drawn = set(re.findall(r"\[\[([a-z-]+)\]\]", FLOW))
    code = "".join(p.read_text() for p in (ROOT / "functions").glob("*.py"))
    read = set(re.findall(r'queue_name="([a-z-]+)"', code))
    assert drawn == read


def test_readme_begins_with_the_two_commands():
    assert re.match(r"```sh\nmake demo +#.*\nmake test +#.*\n```\n", README)


def test_readme_shows_a_demo_of_all_samples_as_expected():
    shown = README.split("<!-- demo:begin -->")[1].split("<!-- demo:end -->")[0]
    count = len(samples())
    assert f"as expected: {count} of {count}" in shown
    assert "verified" in shown
    assert all(sample.title[:12] in shown for sample in samples())


def test_links_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if not link.startswith("http"):
                assert (page.parent / link).exists(), f"{page.name}: {link}"
