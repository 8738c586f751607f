"""LibreOffice as a witness: one process makes PDFs of many files, and pdfium reads them.

It has a profile of its own and nothing of the product. Where it is not installed the tests that ask
it are skipped by name.
"""

from __future__ import annotations

import shutil
import subprocess

import pypdfium2
import pytest

PAGES = "HTML (StarWriter)"
"""How pages are read: the filter that is chosen by default loses the first paragraph in a PDF."""

PATIENCE = 240  # seconds for all files of a call; about 4 s on a quiet machine
needed = pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")


def converted(files, folder, kind="pdf", reader=""):
    """File name → bytes of what LibreOffice made of each; what it could not open is not there.

    The names' stems must differ.
    """
    given, made = folder / f"{kind}-given", folder / f"{kind}-made"
    given.mkdir(parents=True)
    for name, data in files.items():
        (given / name).write_bytes(data)
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--headless",
            *([f"--infilter={reader}"] if reader else []),
            "--convert-to",
            kind,
            "--outdir",
            str(made),
            *(str(given / name) for name in files),
        ],
        check=True,
        timeout=PATIENCE,
        capture_output=True,
    )
    found = {name: made / f"{name.rpartition('.')[0]}.{kind}" for name in files}
    return {name: path.read_bytes() for name, path in found.items() if path.exists()}


def shown(pdf):
    """The words on all pages, without the white space that layout makes."""
    with pypdfium2.PdfDocument(pdf) as document:
        text = "".join(page.get_textpage().get_text_range() for page in document)
    return "".join(text.split())
