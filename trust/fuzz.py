"""Coverage-guided fuzzing of every reader of strangers' bytes, each target in a process of its own.

``python -m trust.fuzz TARGET SECONDS FOLDER`` is that process. Native libraries run inside it here,
where the product gives them a child of their own: when one of them dies, the sandbox would have
made a gap of it. Such a death is counted by itself, kept as a file, and the fuzzing goes on.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from trust.lines import Line, Told, of_size

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "fuzz"
MEMORY = 512  # MB beside what the interpreter and the libraries take
BASE = 400  # MB: that, with the instrumentation
SLOW = 30  # seconds for one input
RUNS = re.compile(r"Done (\d+) (?:runs )?in|#(\d+)\s")
NATIVE = ("deadly signal", "SEGV", "ABRT", "FPE")


def run(size: str, told: Told) -> list[Line]:
    """A line for all targets."""
    from trust.targets import TARGETS

    seconds = of_size(size, 3, 60, 600)
    rows: dict[str, dict[str, int]] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # each waits for a process of its own
        begun = {pool.submit(one, name, seconds): name for name in TARGETS}
        for done, ended in enumerate(as_completed(begun), 1):
            rows[begun[ended]] = ended.result()
            told(f"fuzz: {begun[ended]}", done, len(TARGETS))
    rows = {name: rows[name] for name in TARGETS}
    found = sum(row["findings"] for row in rows.values())
    contained = sum(row["contained"] for row in rows.values())
    runs = sum(row["runs"] for row in rows.values())
    return [
        Line(
            f"{len(rows)} の読み取り口を {seconds:,} 秒ずつファジング：例外・停止・通過なし",
            f"{len(rows)} readers fuzzed {seconds:,} s each: no exception, no hang, no gap passed",
            f"{runs:,} inputs, {found} findings, {contained} native deaths that the sandbox holds",
            found == 0,
            {"seconds": seconds, "targets": rows},
            "; ".join(name for name, row in rows.items() if row["findings"]),
        )
    ]


def one(name: str, seconds: int) -> dict[str, int]:
    """Fuzz a target so long; what broke it is in ``build/fuzz/NAME``."""
    folder = FOLDER / name
    (folder / "found").mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + seconds
    runs = findings = contained = 0
    while (left := end - time.monotonic()) > 1:
        command = [sys.executable, "-m", "trust.fuzz", name, str(int(left)), str(folder)]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False
        )
        told = [int(a or b) for a, b in RUNS.findall(done.stderr)]
        runs += max(told, default=0)
        if done.returncode == 0:
            continue
        (folder / "last.txt").write_text(done.stderr[-20_000:], encoding="utf-8")
        if any(word in done.stderr for word in NATIVE) and "Uncaught Python" not in done.stderr:
            contained += 1
        else:
            findings += 1
            break  # it would find the same again
    return {"runs": runs, "findings": findings, "contained": contained}


def main(name: str, seconds: int, folder: Path) -> None:
    """Fuzz in this process; ends it."""
    import atheris

    with atheris.instrument_imports(include=["shared", "relay"]):
        from trust.targets import TARGETS

        target = TARGETS[name]
    corpus = folder / "corpus"
    if not corpus.exists():
        corpus.mkdir(parents=True)
        for number, seed in enumerate(target.seeds()):
            if len(seed) < 1_000_000:
                (corpus / f"seed-{number:04d}").write_bytes(seed)
    os.environ["PYTHONHASHSEED"] = "0"
    options = [
        sys.argv[0],
        str(corpus),
        f"-max_total_time={seconds}",
        f"-timeout={SLOW}",
        f"-rss_limit_mb={MEMORY + BASE}",
        f"-artifact_prefix={folder / 'found'}/",
        "-max_len=262144",
        "-print_final_stats=1",
    ]
    atheris.Setup(options, target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
