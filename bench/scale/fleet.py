#!/usr/bin/env python3
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure an audit of real hosts of the lab: whole, with the share of each phase, and as slices run at once.

Both are run by ansible-runner as the lab's controller, with the same forks in all. Then the slices' results are merged,
and the merged report is compared with the whole one. All hosts and controllers share one machine's cores: slices
cannot be faster here than the whole: what is shown is what slicing costs. Needs root, what the lab needs, ansible-core
and ansible-runner. The lab's name begins with "nf-bench-"; it is removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "molecule" / "lab"))

from netfit_lab import lab  # noqa: E402

PHASES = {
    "facts": ("Gather facts of every network namespace",),
    "mesh plan": ("Plan who measures which paths", "Tell the other slices of these hosts, and learn of theirs"),
    "measuring": (
        "Start responders",
        "Measure paths",
        "Measure what clients of TCP ports get",
        "Stop responders",
        "Have one result for each path",
        "Mark how far this slice is, and wait for the others",
    ),
    "assessing": ("Hold facts and measurements against the policy", "Look at the cluster as a whole"),
    "report": (
        "Show and write the report",
        "Write what this slice found, for the merged report",
        "Merge, show and write the report",
    ),
}
OTHER = "the rest"
MEASURED_ANEW = ("round_trip_ms", "seconds", "confidence", "samples", "tries_above", "lost")
COUNTS = ("packets_sent", "packets_received", "bytes_sent")


def topology(count: int) -> dict[str, Any]:
    """Return a topology of that many hosts in two zones, between which 1400 bytes pass and nobody says so."""
    half = (count + 1) // 2
    return {
        "segments": {
            "west": {"addresses": "10.44.0.0/23"},
            "east": {"addresses": "10.44.2.0/23"},
            "between": {"addresses": "10.44.9.0/24", "mtu": 1400},
        },
        "routers": {
            "r1": {"segments": ["west", "between"], "icmp": "none"},
            "r2": {"segments": ["east", "between"], "icmp": "none"},
        },
        "hosts": {
            **{f"w{n:03}": {"segments": ["west"], "variables": {"netfit_zone": "west"}} for n in range(half)},
            **{f"e{n:03}": {"segments": ["east"], "variables": {"netfit_zone": "east"}} for n in range(count - half)},
        },
    }


def run(running: lab.Lab, folder: Path, ident: str, playbook: str, forks: int, **variables: Any) -> dict[str, float]:
    """Run a playbook by ansible-runner. Returns seconds by phase, and "total"."""
    private, limit = folder / ident, variables.pop("limit", None)
    (private / "env").mkdir(parents=True)
    (private / "project").mkdir()
    settings = {
        "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", ""),
        "ANSIBLE_FORKS": str(forks),
        "ANSIBLE_HOME": str(private / "home"),
        "ANSIBLE_INJECT_FACT_VARS": "False",
        "ANSIBLE_NOCOLOR": "1",
    }
    (private / "env/envvars").write_text(json.dumps(settings))
    (private / "env/extravars").write_text(json.dumps({"netfit_report_dir": str(folder / "report"), **variables}))
    command = [sys.executable, "-m", "ansible_runner", "run", str(private), "-p", playbook, "--ident", ident]
    command += ["--inventory", str(running.paths.directory / "inventory.yml"), *(["--limit", limit] if limit else [])]
    path = f"PATH={Path(sys.executable).parent}:{os.environ['PATH']}"
    began = time.monotonic()
    done = running.controller.run(["env", path, *command], timeout=1800, check=False)
    total = time.monotonic() - began
    if done.returncode != 0:
        sys.exit(f"{ident} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
    return {**by_phase(private / "artifacts" / ident / "job_events"), "total": total}


def by_phase(events: Path) -> dict[str, float]:
    """Return seconds from the beginning of each phase's tasks to that of the next task, by phase."""
    names = {task: phase for phase, tasks in PHASES.items() for task in tasks}
    read = [json.loads(path.read_text()) for path in events.glob("*.json")]
    told = ("playbook_on_task_start", "playbook_on_stats")
    marks = sorted(
        (datetime.fromisoformat(one["created"]), names.get(one["event_data"].get("task", ""), OTHER))
        for one in read
        if one["event"] in told
    )
    seconds: dict[str, float] = defaultdict(float)
    for (start, phase), (end, _next) in zip(marks, marks[1:]):
        seconds[phase] += (end - start).total_seconds()
    return dict(seconds)


def lasting(value: Any) -> Any:
    """Return a report without what differs between two audits of the same."""
    volatile = {"generated_at", "evidence", *MEASURED_ANEW, *COUNTS}
    if isinstance(value, dict):
        return {name: lasting(entry) for name, entry in value.items() if name not in volatile}
    return [lasting(entry) for entry in value] if isinstance(value, list) else value


def show(name: str, seconds: dict[str, float], whole: float) -> None:
    """Print one run: its time, what that is to the whole audit's, and the share of each phase."""
    parts = [
        f"{phase} {seconds.get(phase, 0.0):.1f} s" for phase in (*PHASES, OTHER) if seconds.get(phase, 0.0) >= 0.05
    ]
    print(f"{name:<16} {seconds['total']:6.1f} s  {seconds['total'] / whole:5.2f}  {', '.join(parts)}", flush=True)


def compare(running: lab.Lab, folder: Path, options: argparse.Namespace) -> bool:
    """Run both, print both, and tell whether the reports are the same."""
    names = sorted(running.hosts)
    whole = run(running, folder / "whole", "whole", "netfit.cluster.audit", options.forks)
    print("run                 time  ratio  phases")
    show("whole", whole, whole["total"])
    shares = {phase: whole.get(phase, 0.0) / whole["total"] for phase in (*PHASES, OTHER)}
    print("share of phases:", ", ".join(f"{phase} {share:.0%}" for phase, share in shares.items()), flush=True)

    def one(number: int) -> dict[str, float]:
        limit = ",".join(names[number :: options.slices])
        ident, forks = f"slice{number}", max(options.forks // options.slices, 1)
        variables = {"limit": limit, "netfit_slice": ident, "netfit_slice_wait": 300}
        return run(running, folder / "sliced", ident, "netfit.cluster.audit", forks, **variables)

    began = time.monotonic()
    with ThreadPoolExecutor(options.slices) as pool:
        slices = list(pool.map(one, range(options.slices)))
    together = time.monotonic() - began
    for number, seconds in enumerate(slices):
        show(f"slice {number}", seconds, whole["total"])
    merged = run(running, folder / "sliced", "merge", "netfit.cluster.report", 1)
    show("merging", merged, whole["total"])
    sizes = sum(path.stat().st_size for path in (folder / "sliced/report").glob("slice-*.json"))
    print(
        f"{options.slices} slices at once took {together:.1f} s, {together / whole['total']:.2f} of the whole;", end=" "
    )
    print(f"with merging {(together + merged['total']) / whole['total']:.2f}; their files have {sizes / 1e6:.1f} MB")
    first, second = (json.loads((folder / kind / "report/report.json").read_text()) for kind in ("whole", "sliced"))
    same = {part: lasting(first[part]) == lasting(second[part]) for part in ("paths", "findings", "hosts", "summary")}
    print(f"{len(first['paths'])} paths, {len(first['findings'])} findings; the same in the merged report:", same)
    return all(same.values())


def main() -> int:
    """Build the lab, measure, take the lab down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=60, help="hosts of the lab (default: 60)")
    parser.add_argument("--slices", type=int, default=4, help="slices that are run at once (default: 4)")
    parser.add_argument(
        "--forks", type=int, default=20, help="forks of the whole audit, and of all slices (default: 20)"
    )
    options = parser.parse_args()
    os.environ.setdefault("ANSIBLE_COLLECTIONS_PATH", str(ROOT.parents[2]))
    name = f"nf-bench-fleet-{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as folder:
        try:
            same = compare(lab.up(name, "fleet", topology(options.hosts), print), Path(folder), options)
        finally:
            lab.down(name, print)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest process: {peak:.0f} MB")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
