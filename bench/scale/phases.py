#!/usr/bin/env python3
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time and memory of assess and report on synthetic fleets, by phase, and how they grow with the number of hosts.

Each size runs in a process of its own. Time is the processor's: nothing here waits, and a busy machine does not count.
Memory is the highest resident set in each phase, all that is kept included (Linux lets a process reset that mark). The
exponent is the slope of the least squares line through log(time) over log(hosts), and over log(paths): 1 is linear.
What is planned grows a little faster than the hosts: beyond 30 hosts each of them meets those at distances of powers of
two, 7 each at 100 and 13 at 5,000.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import math
import pstats
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

ROOT = Path(__file__).resolve().parents[2]
SIZES = (100, 1000, 5000)
MEGABYTE = 1 << 20


def importable(folder: str) -> None:
    """Let this process import the collection from the checkout, through a link in that folder."""
    parent = Path(folder, "ansible_collections", "netfit")
    parent.mkdir(parents=True)
    (parent / "cluster").symlink_to(ROOT)
    sys.path.insert(0, folder)


class Stopwatch:
    """Measures phases. figures: by phase, seconds of processor time and highest resident set in bytes."""

    def __init__(self) -> None:
        self.figures: Dict[str, Dict[str, float]] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure what is done inside."""
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        begun = time.process_time()
        yield
        self.figures[name] = {"seconds": time.process_time() - begun, "bytes": peak()}


def peak() -> int:
    """Return the highest resident set in bytes since it was reset: VmHWM in proc(5)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmHWM")


def run_one(count: int, pods: int, folder: Path) -> Dict[str, Any]:
    """Go through all phases with that many hosts, in this process."""
    from ansible_collections.netfit.cluster.bench.scale import audit

    watch = Stopwatch()
    facts = audit.write_facts(count, pods, folder)
    amounts = audit.run(facts, count, pods, watch)
    return {"hosts": count, "figures": watch.figures, "amounts": amounts}


def exponent(points: Sequence[Tuple[float, float]]) -> float:
    """Return the slope of the least squares line through the logarithms."""
    xs, ys = [math.log(x) for x, _y in points], [math.log(max(y, 1e-6)) for _x, y in points]
    x0, y0 = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - x0) * (y - y0) for x, y in zip(xs, ys)) / sum((x - x0) ** 2 for x in xs)


def table(runs: Sequence[Dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of both tables."""
    sizes, paths = [run["hosts"] for run in runs], [run["amounts"]["paths"] for run in runs]
    yield "| phase | " + " | ".join(f"{size:,} hosts" for size in sizes) + " | exponent |"
    yield "|---|" + "---|" * (len(sizes) + 1)
    phases = list(runs[0]["figures"])
    for name in [*phases, "all"]:
        seconds = [
            sum(one["seconds"] for one in run["figures"].values()) if name == "all" else run["figures"][name]["seconds"]
            for run in runs
        ]
        highest = [
            max(one["bytes"] for one in run["figures"].values()) if name == "all" else run["figures"][name]["bytes"]
            for run in runs
        ]
        cells = [f"{second:.2f} s, {byte / MEGABYTE:,.0f} MB" for second, byte in zip(seconds, highest)]
        yield f"| {name} | " + " | ".join(cells) + f" | {_slopes(sizes, paths, seconds, highest)} |"
    yield ""
    yield "| amount | " + " | ".join(f"{size:,} hosts" for size in sizes) + " | exponent |"
    yield "|---|" + "---|" * (len(sizes) + 1)
    for name in runs[0]["amounts"]:
        values: List[float] = [run["amounts"][name] for run in runs]
        shown = [f"{value / MEGABYTE:,.2f} MB" if name.endswith("bytes") else f"{value:,}" for value in values]
        slope = "" if len(sizes) < 2 else f"{exponent(list(zip(sizes, values))):.2f}"
        yield f"| {name.removesuffix(', bytes')} | " + " | ".join(shown) + f" | {slope} |"


def _slopes(sizes: Sequence[int], paths: Sequence[float], seconds: Sequence[float], highest: Sequence[float]) -> str:
    if len(sizes) < 2:
        return ""
    time_by_hosts, time_by_paths, memory = (
        exponent(list(zip(xs, ys))) for xs, ys in ((sizes, seconds), (paths, seconds), (sizes, highest))
    )
    return f"time {time_by_hosts:.2f}, by paths {time_by_paths:.2f}; memory {memory:.2f}"


def main() -> None:
    """Measure every size and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hosts", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--pods", type=int, default=4, help="of each host (default: 4)")
    parser.add_argument("--profile", action="store_true", help="print what takes longest as well")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        with tempfile.TemporaryDirectory(prefix="nf-bench-") as folder:
            importable(folder)
            print(json.dumps(run_one(options.hosts[0], options.pods, Path(folder))))
        return
    if options.profile:
        with tempfile.TemporaryDirectory(prefix="nf-bench-") as folder, cProfile.Profile() as profile:
            importable(folder)
            print(json.dumps(run_one(options.hosts[0], options.pods, Path(folder)), indent=1))
        pstats.Stats(profile).sort_stats("cumulative").print_stats(60)
        return
    runs = []
    for count in options.hosts:
        command = [sys.executable, __file__, "--one", "--hosts", str(count), "--pods", str(options.pods)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        runs.append(json.loads(done.stdout))
    print("\n".join(table(runs)))


if __name__ == "__main__":
    main()
