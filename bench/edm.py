"""Exact data match over made-up residents: build time, file size, lookup time.

``python bench/edm.py [--residents 2600000] [--json]``: four columns (個人番号, 宛名番号, 氏名 and
生年月日 together, 電話番号), each a table of its own in a memory-mapped file.
"""

from __future__ import annotations

import argparse
import mmap
import random
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import _figures
from shared.detect.edm import Table, TableBuilder, fold

KEY = bytes(range(32))
FAMILY = ("佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤")
GIVEN = ("太郎", "花子", "一郎", "桜", "健", "陽菜", "翔", "葵", "蓮", "結衣")
COLUMNS = ("個人番号", "宛名番号", "氏名+生年月日", "電話番号")


def resident(n: int) -> tuple[tuple[str, ...], ...]:
    """Made up from a counter; the My Number's stem is the counter, so it is nobody's on purpose."""
    name = f"{FAMILY[n % 10]} {GIVEN[n // 10 % 10]}"
    born = f"{1930 + n % 90}-{n // 7 % 12 + 1:02}-{n // 11 % 28 + 1:02}"
    phone = f"090-{n // 10000 % 10000:04}-{n % 10000:04}"
    return (f"9{n:010}0",), (f"{n:010}",), (name + str(n // 9000), born), (phone,)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--residents", type=int, default=2_600_000)
    _figures.add(parser)
    arguments = parser.parse_args()
    count = arguments.residents
    result: dict[str, float] = {"residents": count}
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        start, busy = time.perf_counter(), time.process_time()
        builders = [TableBuilder(KEY, column) for column in COLUMNS]
        for n in range(count):
            for builder, values in zip(builders, resident(n), strict=True):
                builder.add(*values)
        paths = []
        for at, builder in enumerate(builders):
            path = Path(folder) / f"{at}.edm"
            with path.open("wb") as stream:
                builder.write(stream)
            paths.append(path)
        result["build_s"] = time.perf_counter() - start
        result["build_cpu_s"] = time.process_time() - busy
        result["file_mb_a_column"] = statistics.fmean(p.stat().st_size for p in paths) / 1e6
        with paths[0].open("rb") as stream:
            view = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            table = Table(memoryview(view), KEY, COLUMNS[0])
            known = [fold(resident(rng.randrange(count))[0][0]) for _ in range(20_000)]
            unknown = [f"8{rng.randrange(10**10):010}1" for _ in range(20_000)]
            assert all(map(table.has_folded, known))
            assert not any(map(table.has_folded, unknown))
            taken = []
            for value in known + unknown:
                begin = time.perf_counter_ns()
                table.has_folded(value)
                taken.append(time.perf_counter_ns() - begin)
            result["lookup_us_median"] = statistics.median(taken) / 1000
            result["lookup_us_p99"] = sorted(taken)[len(taken) * 99 // 100] / 1000
    result["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def table() -> None:
        for key, value in result.items():
            print(f"{key:20} {value:>14,.2f}")

    _figures.tell(arguments.json, {key: round(value, 3) for key, value in result.items()}, table)


if __name__ == "__main__":
    main()
