#!/usr/bin/env python3
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a whole audit of a synthetic fleet costs the controller: the real playbook, with Ansible around it.

A copy of the collection is run in which the modules that would run on hosts give the synthetic fleet's facts and
measurements at once, in the controller's worker processes. So everything is the controller's: forks, variables,
templates, the rules, the report. Beside it, with the same forks and the same facts: a playbook as a person writes it
who has the facts and no rules (two assertions on each host, one template, nothing measured). Memory is the highest
resident set of the main process, and the highest sum over it and its workers in which shared pages count once (Pss of
proc(5)).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, List, Tuple

import synthetic

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
STAND_INS = {
    "network_facts": "network_facts.py",
    "path_mtu_info": "probing.py",
    "path_mtu_responder": "probing.py",
    "tcp_path_info": "probing.py",
}
TASK = re.compile(r"TASK \[(?:netfit\.cluster\.)?(.*?)\] \*")
MEGABYTE = 1 << 20
WATCH_SECONDS = 0.5
BOUND_SECONDS = 3600


def build(top: Path, count: int) -> Path:
    """Make the copy of the collection and the inventory in that folder; return the inventory."""
    copy = top / "ansible_collections" / "netfit" / "cluster"
    for name in ("plugins", "playbooks", "meta"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "galaxy.yml", copy)
    beside = copy / "plugins" / "plugin_utils" / "_synthetic"
    beside.mkdir()
    (beside / "__init__.py").touch()
    for name in ("synthetic.py", "recorded.json"):
        shutil.copy(HERE / name, beside)
    for module, action in STAND_INS.items():
        shutil.copy(HERE / "stand_in" / action, copy / "plugins" / "action" / f"{module}.py")
        (copy / "plugins" / "modules" / f"{module}.py").write_text("# replaced by the action\n", encoding="utf-8")
    for playbook in ("by_hand.yml", "by_hand.html.j2", "report_part.yml"):
        shutil.copy(HERE / "stand_in" / playbook, top)
    hosts = {
        node.name: {"ansible_host": node.address, "synthetic_number": node.number} for node in synthetic.fleet(count)
    }
    common = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "synthetic_count": count,
        "synthetic_folder": str(top),
    }
    groups: Dict[str, Any] = {"vantage": {"hosts": {synthetic.VANTAGE: {}}}}
    inventory = top / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": common, "children": groups}}), encoding="utf-8")
    return inventory


def prepare(top: Path, count: int) -> None:
    """Write what the hosts' part of an audit leaves behind, in a process of its own: facts and assessments."""
    link = top / "checkout" / "ansible_collections" / "netfit"
    link.mkdir(parents=True)
    (link / "cluster").symlink_to(ROOT)
    module = "ansible_collections.netfit.cluster.bench.scale.prepared"
    code = "import importlib, sys; importlib.import_module(sys.argv[1]).write(int(sys.argv[2]), sys.argv[3])"
    environment = {**os.environ, "PYTHONPATH": str(top / "checkout")}
    subprocess.run([sys.executable, "-c", code, module, str(count), str(top)], check=True, env=environment)


class Memory(threading.Thread):
    """Watches a process and its children until they are gone. main, together: highest bytes."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.main, self.together = pid, 0, 0

    def run(self) -> None:
        """Look again and again."""
        while Path(f"/proc/{self.pid}").exists():
            self.main = max(self.main, _field(f"/proc/{self.pid}/status", "VmHWM:"))
            self.together = max(self.together, sum(_field(f"/proc/{pid}/smaps_rollup", "Pss:") for pid in self._all()))
            time.sleep(WATCH_SECONDS)

    def _all(self) -> List[int]:
        children: List[int] = []
        with suppress(OSError):
            for thread in Path(f"/proc/{self.pid}/task").iterdir():
                children += [int(pid) for pid in (thread / "children").read_text(encoding="ascii").split()]
        return [self.pid, *children]


def _field(file: str, name: str) -> int:
    with suppress(OSError):
        for line in Path(file).read_text(encoding="ascii").splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0


def play(top: Path, inventory: Path, playbook: str, forks: int, *arguments: str) -> Dict[str, Any]:
    """Run a playbook; return seconds in all, processor seconds, those of each task, and memory."""
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(top),
        "ANSIBLE_INJECT_FACT_VARS": "False",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_FORKS": str(forks),
        "COLUMNS": "100",
        "HOME": str(top),
    }
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    before, begun = os.times(), time.monotonic()
    tasks: List[Tuple[str, float]] = []
    with (top / "output").open("w", encoding="utf-8") as output, subprocess.Popen(
        [program, playbook, "-i", str(inventory), *arguments],
        cwd=top,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        memory = Memory(running.pid)
        memory.start()
        for line in running.stdout or ():
            output.write(line)
            found = TASK.match(line)
            if found is not None:
                tasks.append((found[1], time.monotonic()))
        running.wait(timeout=BOUND_SECONDS)
    ended, after = time.monotonic(), os.times()
    memory.join(timeout=5)
    seconds: Dict[str, float] = {}
    for (name, at), (_name, until) in zip(tasks, [*tasks[1:], ("", ended)]):
        seconds[name] = seconds.get(name, 0) + until - at
    used = sum(after[2:4]) - sum(before[2:4])
    return {
        "status": running.returncode,
        "seconds": ended - begun,
        "processor": used,
        "tasks": seconds,
        "main": memory.main,
        "together": memory.together,
    }


def show(title: str, count: int, found: Dict[str, Any]) -> None:
    """Print what one playbook took."""
    print(
        f"{count:,} hosts, {title}: {found['seconds']:.1f} s, {found['processor']:.1f} s of processor time "
        f"({1000 * found['processor'] / count:.0f} ms a host), main process {found['main'] / MEGABYTE:,.0f} MB, "
        f"with its workers {found['together'] / MEGABYTE:,.0f} MB, exit status {found['status']}"
    )
    for name, seconds in sorted(found["tasks"].items(), key=lambda entry: -entry[1]):
        if seconds >= 0.01 * found["seconds"]:
            print(f"    {seconds:7.1f} s  {name}")


def main() -> None:
    """Run both playbooks for each size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hosts", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--forks", type=int, default=20)
    parser.add_argument("--part", choices=["audit", "by hand", "report"], nargs="+", default=["audit", "by hand"])
    parser.add_argument("--keep", help="folder to keep the last report and output in")
    options = parser.parse_args()
    for count in options.hosts:
        with tempfile.TemporaryDirectory(prefix="nf-bench-") as folder:
            top = Path(folder)
            inventory = build(top, count)
            variables = json.dumps(
                {"netfit_node_ports": [synthetic.NODE_PORT], "netfit_become": False, "netfit_formats": ["html"]}
            )
            if "audit" in options.part:
                show("audit", count, play(top, inventory, "netfit.cluster.audit", options.forks, "-e", variables))
            if "by hand" in options.part:
                show("by hand", count, play(top, inventory, "by_hand.yml", options.forks))
            if "report" in options.part:
                prepare(top, count)
                show("the report alone", count, play(top, inventory, "report_part.yml", options.forks))
            if options.keep:
                shutil.copytree(top / "netfit-report", options.keep, dirs_exist_ok=True)
                shutil.copy(top / "output", options.keep)


if __name__ == "__main__":
    main()
