"""The independent checkers: programs of their own; that for Office has its own environment."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
import venv
from dataclasses import replace
from pathlib import Path

import pytest

from shared.extract import Limits
from shared.sanitize import mask, pdf_ink
from tests.unit.sanitize import (
    sanitize_locked,
    sanitize_mail,
    sanitize_office,
    sanitize_pages,
    sanitize_pdf,
)
from tests.unit.sanitize.sanitize_locked import opened
from tests.unit.sanitize.sanitize_sample import TOOLS as READERS
from tests.unit.sanitize.sanitize_sample import WORDS, clean

TOOLS = Path(__file__).resolve().parents[2] / "tools"
REQUIREMENTS = TOOLS / "requirements-oletools.txt"


def run_checker(python, program, folder, files):
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    done = subprocess.run(
        [python, str(TOOLS / program), str(folder)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def oletools_python():
    """The Python that has oletools, made once a machine from the hash-locked list."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sekisho-tests"
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    home = cache / f"oletools-{digest}"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        cache.mkdir(parents=True, exist_ok=True)
        venv.create(home, with_pip=True, clear=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        try:
            subprocess.run(
                [*pip, "-r", str(REQUIREMENTS)], check=True, timeout=120, capture_output=True
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip("oletools could not be installed from PyPI")
        (home / "complete").touch()
    return str(python)


@pytest.fixture(scope="session")
def office_check(oletools_python):
    return lambda folder, files: run_checker(oletools_python, "office_check.py", folder, files)


@pytest.fixture(scope="session")
def pdf_check():
    return lambda folder, files: run_checker(sys.executable, "pdf_check.py", folder, files)


@pytest.fixture(scope="session")
def corpus():
    modules = (sanitize_office, sanitize_pages, sanitize_pdf, sanitize_mail)
    return [sample for module in modules for sample in module.samples()]


@pytest.fixture(scope="session")
def cleaned(corpus):
    """Each sample with its result, sanitised once for all tests."""
    return [(sample, clean(sample.data, sample.name, sample.media_type)) for sample in corpus]


@pytest.fixture(scope="session")
def masked(cleaned):
    """The masked copies of what was sanitised, each with a word covered.

    What has no masked copy (legacy formats, RTF, what holds no such word) is not in it. The pages
    of a PDF are pictures then.
    """
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdf_ink, "draws", lambda _: True)  # also on machines without Japanese fonts
        for sample, result in cleaned:
            if result.content:
                copy = mask(result.content, (WORDS[:3],), READERS, time.monotonic, Limits())
                words = sample.words.replace(WORDS[:3], "●●●") if sample.kind != "pdf" else ""
                if copy.content:
                    found.append((replace(sample, words=words), copy))
    return found


@pytest.fixture(scope="session")
def unlocked(corpus):
    """What was encrypted, opened by a password and then sanitised, as the gate does."""
    return [(sample, clean(*opened(sample))) for sample in sanitize_locked.samples(corpus)]


@pytest.fixture(scope="session", params=["cleaned", "masked", "unlocked"])
def results(request):
    """Every way by which something sanitised reaches a recipient."""
    return request.getfixturevalue(request.param)
