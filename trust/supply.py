"""What the product stands on: locked, listed, licensed, and without a secret in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from trust.lines import Line, Told

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
# Not allowed in the product (a test may run such a tool as a program of its own).
COPYLEFT = re.compile(r"(?<!L)(?<!Lesser )\bA?GPL|GNU (?:Affero )?General Public", re.IGNORECASE)
NAME = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
# Shapes of credentials; the emulator's published key is the one exception, and named as such.
SECRETS = re.compile(
    r"AccountKey=[A-Za-z0-9+/]{40,}|SharedAccessSignature|[?&]sig=[A-Za-z0-9%+/]{20,}"
    r"|-----BEGIN (?:RSA |EC )?PRIVATE KEY-----\n[A-Za-z0-9+/]"
    r"|client_secret\s*[=:]\s*[\"'][^\"']{8,}"
)
EMULATOR = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
SAMPLES = "shared/detect/rules"  # the recogniser of secrets has samples of them
ROOMS = ("shared", "functions", "relay", "infra", "local")


def run(size: str, told: Told) -> list[Line]:
    """SBOM, licences, secrets; the same for every size."""
    del size
    lines = []
    for done, measure in enumerate((_sbom, _licences, _secrets)):
        told("supply", done, 3)
        lines.append(measure())
    told("supply", 3, 3)
    return lines


def product() -> set[str]:
    """Names of the locked packages of the product, folded."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return {_folded(name) for name in NAME.findall(text)}


def _folded(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _sbom() -> Line:
    BUILD.mkdir(exist_ok=True)
    out = BUILD / "sbom.cdx.json"
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "requirements.txt"]
    done = subprocess.run(
        [*command, "--output-reproducible", "-o", str(out)],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    count = 0
    if done.returncode == 0:
        parts = json.loads(out.read_text(encoding="utf-8"))["components"]
        count = len({_folded(part["name"]) for part in parts if part.get("version")})
    wanted = len(product())
    return Line(
        "製品の部品表（CycloneDX）は、固定した部品をすべて含む",
        "the bill of materials (CycloneDX) lists every locked package",
        f"{count} of {wanted} packages (build/sbom.cdx.json)",
        count == wanted,
        {"listed": count, "locked": wanted},
    )


def _licences() -> Line:
    done = subprocess.run(
        [sys.executable, "-m", "piplicenses", "--format=json", "--from=mixed"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = product()
    rows = [row for row in json.loads(done.stdout) if _folded(row["Name"]) in names]
    bad = [f"{row['Name']}: {row['License']}" for row in rows if COPYLEFT.search(row["License"])]
    (BUILD / "licences.json").write_text(
        json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    return Line(
        "製品の部品に GPL・AGPL はない",
        "no GPL or AGPL among the product's packages",
        f"{len(rows)} packages looked at, {len(bad)} not allowed (build/licences.json)",
        not bad and len(rows) > 0,
        {"packages": len(rows), "not_allowed": bad},
        "; ".join(bad),
    )


def _secrets() -> Line:
    files = [
        path
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and SAMPLES not in str(path)
    ]
    files += [path for path in ROOT.iterdir() if path.is_file()]
    found = []
    for path in files:
        text = path.read_text(encoding="utf-8", errors="ignore").replace(EMULATOR, "")
        if SECRETS.search(text):
            found.append(str(path.relative_to(ROOT)))
    return Line(
        "鍵・秘密・接続文字列は、手元のエミュレーターの公開されたもののほかにない",
        "no key, secret or connection string but the emulator's published one",
        f"{len(files)} files, {len(found)} with one",
        not found,
        {"files": len(files), "found": found},
        "; ".join(found),
    )
