"""The detection engine and Presidio, alternating in one run, on one core.

``python bench/detect.py [--json [FILE]] [--svg FILE] [--no-presidio]``.
MB/s count the UTF-8 size of the
text; times are processor time, medians. Presidio runs without an NLP engine (``no_op``), with
patterns for the same identifiers, in an environment of its own that is made once in a cache folder
from ``bench/requirements-presidio.txt``. All corpora are synthetic (``bench/_corpora.py``).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import _corpora as corpora
from bench import _figures

HERE = Path(__file__).resolve().parent

COLD = """
import time; start = time.perf_counter()
from shared.detect import Engine, FingerprintKey
from shared.model import Segment
Engine(FingerprintKey("bench", bytes(32))).scan([Segment("x", "個人番号 123456789018")])
print((time.perf_counter() - start) * 1000, time.process_time() * 1000)
"""
REQUIREMENTS = HERE / "requirements-presidio.txt"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sekisho-bench-presidio"


def mb(texts: list[str]) -> float:
    return sum(len(text.encode()) for text in texts) / 1e6


def seconds(work: Callable[[], object], rounds: int = 5) -> float:
    """Median processor time of one call."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def ours() -> Callable[[str], object]:
    # fmt: off
    from shared.detect import Engine, FingerprintKey  # noqa: PLC0415 - counted in the cold start
    from shared.model import Segment  # noqa: PLC0415 - the same

    # fmt: on
    engine = Engine(FingerprintKey("bench", bytes(32)))
    engine.scan([Segment("本文", "個人番号 123456789018")])
    if not engine.accelerated:
        print("note: Vectorscan is not in use here", file=sys.stderr)
    return lambda text: engine.scan([Segment("本文", text)])


def per_text(scan: Callable[[str], object], texts: list[str]) -> list[float]:
    """Processor seconds of each text."""
    taken = []
    for text in texts:
        start = time.process_time_ns()
        scan(text)
        taken.append((time.process_time_ns() - start) / 1e9)
    return taken


def measure(presidio: Presidio | None) -> dict[str, Any]:
    scan = ours()
    clean, digits, mails = corpora.clean(), corpora.digits(), corpora.mails()
    roster = corpora.roster()
    result: dict[str, Any] = {}
    from shared.detect.skeleton import skeleton  # noqa: PLC0415 - loads NumPy

    bulk = clean + digits
    our_mails: list[float] = []
    our_rounds: list[float] = []
    their_mails: list[float] = []
    bulk_ours: list[float] = []
    bulk_theirs: list[float] = []
    for turn in range(5):  # alternate, so that a busy neighbour disturbs both
        our_mails += per_text(scan, mails)
        start = time.process_time()  # once around all: a reading of the clock takes 1 µs itself
        for text in mails:
            scan(text)
        our_rounds.append((time.process_time() - start) / len(mails))
        start = time.process_time()
        for text in bulk:
            scan(text)
        bulk_ours.append((time.process_time() - start) / mb(bulk))
        if presidio and turn < 3:
            their_mails += presidio.run(mails[turn * 40 : turn * 40 + 40])
            few = [clean[turn][:30_000], digits[turn][:30_000]]
            bulk_theirs.append(sum(presidio.run(few)) / mb(few))
    result["clean_mb_s"] = mb(clean) / seconds(lambda: [scan(text) for text in clean])
    result["table_mb_s"] = mb(clean) / seconds(lambda: [skeleton(text) for text in clean])
    result["clean_share"] = result["clean_mb_s"] / result["table_mb_s"]
    result["digits_mb_s"] = mb(digits) / seconds(lambda: [scan(text) for text in digits])
    result["mail_us"] = statistics.median(our_mails) * 1e6
    result["mail_mean_us"] = statistics.median(our_rounds) * 1e6
    result["roster_mb_s"] = mb([roster]) / seconds(lambda: scan(roster), 3)
    soups = {
        name: seconds(lambda t=text: scan(t), 1) for name, text in corpora.adversarial().items()
    }
    result["adversarial_s"] = max(soups.values())
    result["adversarial_worst"] = max(soups, key=lambda name: soups[name])
    result["presidio_mail_us"] = statistics.median(their_mails) * 1e6 if their_mails else None
    result["presidio_mail_ratio"] = (
        statistics.fmean(their_mails) / statistics.median(our_rounds) if their_mails else None
    )
    result["presidio_bulk_ratio"] = (
        statistics.median(bulk_theirs) / statistics.median(bulk_ours) if bulk_theirs else None
    )
    result["rss_mb"] = float(child("--child-rss"))
    starts = [cold() for _ in range(5)]
    result["cold_ms"] = min(wall for wall, _ in starts)  # wall time: of five, as neighbours count
    result["cold_cpu_ms"] = statistics.median(cpu for _, cpu in starts)
    return result


def cold() -> tuple[float, float]:
    """Milliseconds from the import to the first findings: wall, processor with the interpreter."""
    run = [sys.executable, "-c", COLD]
    wall, cpu = subprocess.check_output(run, cwd=HERE.parent, text=True).split()
    return float(wall), float(cpu)


def child(mode: str) -> str:
    command = [sys.executable, str(HERE / "detect.py"), mode]
    return subprocess.check_output(command, text=True, cwd=HERE.parent)


def rss() -> None:
    """The most memory of a process that scans mails and one document of each kind."""
    scan = ours()
    for text in [*corpora.mails(200), *corpora.clean(1), *corpora.digits(1)]:
        scan(text)
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would count the parent's pages from before exec
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        print(int(peak.split()[1]) / 1024)
    else:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


class Presidio:
    """The other engine, in another Python; it answers with its own processor time for each text."""

    def __init__(self, python: Path) -> None:
        self._process = subprocess.Popen(
            [str(python), str(HERE / "_presidio.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self.run(["個人番号 123456789018"])

    def run(self, texts: list[str]) -> list[float]:
        """Processor seconds of each text."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(texts) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            message = "the Presidio process ended"
            raise RuntimeError(message)
        taken: list[float] = json.loads(line)
        return taken

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()


def presidio() -> Presidio | None:
    """Presidio in its environment (made once), or None with the reason said."""
    python = CACHE / "bin" / "python"
    try:
        if not (CACHE / "installed").exists():
            print(f"making an environment for Presidio in {CACHE} …", file=sys.stderr)
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(CACHE)], check=True)
            with tempfile.TemporaryFile() as log:
                install = [str(python), "-m", "pip", "install", "-q", "-r", str(REQUIREMENTS)]
                subprocess.run(install, check=True, stdout=log, stderr=log)
            (CACHE / "installed").touch()
        return Presidio(python)
    except (OSError, subprocess.CalledProcessError, RuntimeError) as error:
        print(
            f"Presidio could not be installed or started ({error}); its ratios are left out",
            file=sys.stderr,
        )
        return None


ROWS = (
    ("clean_mb_s", "clean prose", "MB/s", 400),
    ("digits_mb_s", "digit-heavy CSV", "MB/s", 80),
    ("roster_mb_s", "roster of 20,000", "MB/s", 5),
    ("mail_us", "3 KB mail, median", "µs", 25),
    ("mail_mean_us", "3 KB mail, mean", "µs", None),
    ("adversarial_s", "1 M characters of digit soup, worst", "s", 2),
    ("table_mb_s", "encode and table alone", "MB/s", None),
    ("clean_share", "clean prose ÷ encode and table", "", 0.15),
    ("presidio_mail_us", "Presidio: 3 KB mail, median", "µs", None),
    ("presidio_mail_ratio", "Presidio ÷ ours, mails", "×", 20),
    ("presidio_bulk_ratio", "Presidio ÷ ours, bulk", "×", 50),
    ("rss_mb", "resident memory", "MB", 80),
    ("cold_ms", "cold start, best of five", "ms", 400),
    ("cold_cpu_ms", "the same in processor time", "ms", None),
)


def table(result: dict[str, Any]) -> None:
    print(f"{'':38} {'here':>10}      {'aim':>6}")
    for key, label, unit, aim in ROWS:
        value = "–" if result[key] is None else f"{result[key]:,.2f}"
        print(f"{label:38} {value:>10} {unit:4} {'' if aim is None else aim:>6}")
    print(f"the worst soup: {result['adversarial_worst']}")


def picture(result: dict[str, Any]) -> str:
    """Bars against the aims, as SVG: longer is better, the line is the aim."""
    smaller = {"mail_us", "adversarial_s", "rss_mb", "cold_ms"}
    rows = [row for row in ROWS if row[3] is not None and result[row[0]] is not None]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{len(rows) * 28 + 40}"',
        ' font-family="sans-serif" font-size="13">',
    ]
    for at, (key, label, unit, aim) in enumerate(rows):
        share = aim / result[key] if key in smaller else result[key] / aim
        y = 20 + at * 28
        width = min(share, 3) * 100
        colour = "#2a7" if share >= 1 else "#c63"
        parts += [
            f'<text x="290" y="{y + 14}" text-anchor="end">{label}</text>',
            f'<rect x="300" y="{y}" width="{width:.0f}" height="18" fill="{colour}"/>',
            f'<text x="{306 + width:.0f}" y="{y + 14}">{result[key]:,.1f} {unit}</text>',
        ]
    parts.append(
        f'<line x1="400" x2="400" y1="10" y2="{len(rows) * 28 + 20}" stroke="#333"/></svg>'
    )
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    _figures.add(parser)
    parser.add_argument("--svg", type=Path, default=HERE.parent / "build" / "bench-detect.svg")
    parser.add_argument("--no-presidio", action="store_true")
    parser.add_argument("--child-rss", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child_rss:
        rss()
        return
    other = None if arguments.no_presidio else presidio()
    try:
        result = measure(other)
    finally:
        if other:
            other.close()
    arguments.svg.parent.mkdir(parents=True, exist_ok=True)
    arguments.svg.write_text(picture(result), encoding="utf-8")
    figures = {k: round(v, 3) if isinstance(v, float) else v for k, v in result.items()}
    _figures.tell(arguments.json, figures, lambda: table(result))


if __name__ == "__main__":
    main()
