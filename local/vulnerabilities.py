"""pip-audit over a lock file; says so, and passes, where the advisory service cannot be reached.

``python -m local.vulnerabilities requirements.txt``: exit 1 if a known vulnerability is listed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Print what is known; 0 for none, 1 for some, 0 with a warning for 'could not ask'."""
    lock = sys.argv[1]
    done = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "pip-audit"), "--requirement", lock),
            *("--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        packages = []
    asked = [package for package in packages if "vulns" in package]
    if not asked:
        print("WARNING: the advisory service was not reached; vulnerabilities were NOT checked")
        return 0
    found = [(p["name"], p["version"], v["id"]) for p in asked for v in p["vulns"]]
    for name, version, advisory in found:
        print(f"{name} {version}: {advisory}")
    print(f"{len(asked)} of {len(packages)} packages checked, {len(found)} known vulnerabilities")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
