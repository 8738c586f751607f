"""What is deployed fits where it goes: azd's files, the plan's limits, the packages' wheels."""

from __future__ import annotations

import fnmatch
import json
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import jsonschema
import pytest
import yaml

from local.bicep.template import load
from tests.unit.infra.house import INFRA, as_it_is

ROOT = INFRA.parent
AZURE = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
HOST = json.loads((ROOT / "host.json").read_text())
SCHEMA = json.loads((Path(__file__).parent / "azd.schema.json").read_text())
MAIN = load(INFRA / "main.bicep")

# ---- azd


def test_azure_yaml_has_azds_shape():
    jsonschema.validate(AZURE, SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        {"services": {}},
        {"services": {"scan": {"project": ".", "host": "functions", "language": "python"}}},
        {"name": "Sekisho"},
        {"hooks": {"postprovison": {"run": "x"}}},
        {"infra": {"provider": "terraform"}},
    ],
)
def test_azure_yaml_of_another_shape_is_refused(change):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**AZURE, **change}, SCHEMA)


def test_azure_yaml_names_what_is_there():
    assert (ROOT / AZURE["infra"]["path"] / f"{AZURE['infra']['module']}.bicep").is_file()
    for hook in AZURE["hooks"].values():
        assert (ROOT / hook["run"].removeprefix("sh ")).is_file()
    assert set(AZURE["services"]) == {"intake", "scan", "audit", "console"}
    for service in AZURE["services"].values():
        assert service["resourceName"].strip("${}") in MAIN.outputs


def test_parameters_are_those_of_the_template():
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    assert given.keys() == MAIN.params.keys() - {"budgetStart"}
    for name, each in given.items():
        found = re.fullmatch(r"\$\{[A-Z_]+(?:=([^}]*))?\}", each["value"])
        assert found, name
        default, allowed = found[1], MAIN.params[name].allowed
        if default is not None:
            assert not allowed or default in allowed
            assert default == str(MAIN.params[name].default)


# ---- the plan


@pytest.mark.parametrize("size", ["small", "prefecture"])
def test_sizes_are_within_flex_consumption(size):
    profile = json.loads((INFRA / "sizes.json").read_text())[size]
    assert profile["apps"] == list(profile["instances"])
    for each in profile["instances"].values():
        assert each["memory"] in {512, 2048, 4096}
        assert 40 <= each["maximum"] <= 1000
        ready = sum(group["instanceCount"] for group in each["ready"])
        assert 0 < ready <= each["maximum"]
        # at full scale the region's default quota of 512,000 MB for a subscription is not passed
    total = sum(each["memory"] * each["maximum"] for each in profile["instances"].values())
    assert total <= 1_024_000, "ask for quota, and say so in docs/how-to/deploy.md"


def test_what_is_always_ready_is_a_function_of_its_app():
    names = {
        name
        for path in (ROOT / "functions").glob("*.py")
        for name in re.findall(r'function_name\("([a-z_]+)"\)', path.read_text())
    }
    for size in ("small", "prefecture"):
        for app, _ in as_it_is(size).apps.values():
            scale = app.properties["functionAppConfig"]["scaleAndConcurrency"]
            for group in scale["alwaysReady"]:
                kind, _, name = group["name"].partition(":")
                assert kind in {"http", "blob", "durable"} or name in names


def seconds(text):
    hours, minutes, rest = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


def test_host_json_is_within_the_plans_limits():
    queues = HOST["extensions"]["queues"]
    assert HOST["version"] == "2.0"
    assert HOST["extensionBundle"]["version"].startswith("[4.")  # Flex: 4.0.0 up to 5.0.0
    assert 0 < seconds(HOST["functionTimeout"]) <= 3600
    assert 1 <= queues["batchSize"] <= 32
    assert queues["newBatchThreshold"] <= queues["batchSize"]
    assert queues["messageEncoding"] == "base64"  # Event Grid writes base64 too
    assert seconds(queues["visibilityTimeout"]) > 0  # else a failure is tried again at once
    assert queues["maxDequeueCount"] >= 3


# ---- the packages

PINNED = re.findall(
    r"^([A-Za-z0-9._-]+)==([^ \\]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE
)
# The glibc of the Functions image for Python 3.13 (Debian 12) is 2.36.
GLIBC = (2, 36)


def runs_there(tag):
    """Whether a wheel of this tag runs on CPython 3.13, x86_64, of that glibc."""
    python, abi, place = tag.split("-")
    version = re.fullmatch(r"cp3(\d+)", python.split(".")[0])
    fits = "py3" in python or (
        version is not None and (int(version[1]) == 13 or (abi == "abi3" and int(version[1]) < 13))
    )
    return fits and any(linux(each) for each in place.split("."))


def linux(place):
    found = re.fullmatch(r"manylinux_(\d+)_(\d+)_x86_64", place)
    if found:
        return (int(found[1]), int(found[2])) <= GLIBC
    return place in {"any", "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"}


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("cp313-cp313-manylinux_2_28_x86_64", True),
        ("cp39-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64", True),
        ("cp312-cp312-manylinux_2_28_x86_64", False),
        ("cp313-cp313-manylinux_2_39_x86_64", False),
        ("cp313-cp313-musllinux_1_2_x86_64", False),
        ("cp313-cp313-linux_x86_64", False),
        ("cp313-cp313-macosx_11_0_arm64", False),
    ],
)
def test_wheel_tag_is_judged(tag, fits):
    assert runs_there(tag) is fits


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="the installed wheels are another platform's",
)
@pytest.mark.parametrize(("name", "version"), PINNED)
def test_requirement_was_installed_from_a_wheel_that_runs_on_flex(name, version):
    """The very files of the lock, as they were installed: no second download."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        pytest.fail(f"{name} is locked and not installed")
    assert found.version == version
    text = found.read_text("WHEEL") or ""
    tags = re.findall(r"^Tag: (\S+)", text, re.MULTILINE)
    assert any(runs_there(tag) for tag in tags), tags


def packed():
    """The files of the package, by .funcignore."""
    ignored = (ROOT / ".funcignore").read_text().split()
    for top in ROOT.iterdir():
        if any(fnmatch.fnmatch(top.name, pattern) for pattern in ignored):
            continue
        for path in [top] if top.is_file() else top.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def test_package_is_small_and_holds_what_runs():
    files = [path.relative_to(ROOT).as_posix() for path in packed()]
    assert {"function_app.py", "host.json", "requirements.txt"} <= set(files)
    assert not [each for each in files if each.startswith(("tests", "local", "infra", "docs"))]
    assert sum((ROOT / each).stat().st_size for each in files) < 30_000_000


def test_package_with_its_libraries_stays_below_a_gigabyte():
    total = sum(file.size or 0 for name, _ in PINNED for file in distribution(name).files or ())
    assert total < 1_000_000_000


# ---- the scanner


def test_every_rule_that_is_skipped_says_why():
    lines = (INFRA / "checks/checkov.yaml").read_text(encoding="utf-8").splitlines()
    skipped = [index for index, line in enumerate(lines) if line.startswith("  - CKV")]
    assert skipped
    for index in skipped:
        above = index - 1
        while lines[above].startswith("  - CKV"):
            above -= 1
        assert lines[above].startswith("  # "), lines[index]
        assert len(lines[above]) > 20
