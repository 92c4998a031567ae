# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine of its own for one scenario, and what the lab must leave alone on it; run by test_leaves_nothing.py.

Started in new network, mount and PID namespaces, so that nothing but the scenario changes what is compared:
    python machine.py SCENARIO    prints the differences as JSON; an empty object when there are none.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LAB = Path(__file__).resolve().parents[2] / "molecule" / "lab" / "lab"
NAME = f"nf-test-alone-{os.environ['NF_TEST']}"
VOLATILE = {"/proc/sys/kernel/ns_last_pid", "/proc/sys/fs/inotify/max_user_instances"}
"""Writable, and not configuration: the last pid given out; and the one limit that the lab is allowed to raise."""

Snapshot = dict[str, Any]


def output(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout


def run_lab(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(LAB), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
    if check and done.returncode != 0:
        sys.exit(f"lab {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def make_machine() -> None:
    """Give the namespaces something that could be damaged, and no mount of control groups to lean on."""
    subprocess.run(["umount", "--lazy", "/sys/fs/cgroup"], check=True)
    # As systemd has it on a real machine: what is mounted below spreads, unless it is kept from that.
    subprocess.run(["mount", "--make-rshared", "/"], check=True)
    for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
        if line.split()[4].startswith("/run/"):
            # Others may take away what they have there, even now, and that is not for the lab to answer for.
            subprocess.run(["umount", "--lazy", line.split()[4]], stderr=subprocess.DEVNULL, check=False)
    subprocess.run(["mount", "-t", "tmpfs", "nf-test", "/run"], check=True)
    for command in (
        "ip link set lo up",
        "ip link add nf-test type bridge",
        "ip link set nf-test addrgenmode none",
        "ip address add 10.44.0.9/24 dev nf-test",
        "ip link set nf-test up",
        "ip route add default via 10.44.0.8",
        "ip rule add from 10.44.0.9 table 77",
        "ip netns add nf-test",
        "nft add table inet nf-test",
        "nft add chain inet nf-test forward { type filter hook forward priority 0 ; }",
    ):
        subprocess.run(command.split(), check=True)


def settled() -> Snapshot:
    """Return everything that the lab could touch: settings of the machine that must not change even while it is up."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return {
        "links": json.loads(output("ip", "-json", "link")),
        "addresses": [
            (link["ifname"], sorted(item["local"] for item in link["addr_info"]))
            for link in json.loads(output("ip", "-json", "address"))
        ],
        "routes": sorted(output("ip", "route", "show", "table", "all").splitlines()),
        "rules": json.loads(output("ip", "-json", "rule")),
        "firewall": output("nft", "list", "ruleset"),
        "network namespaces": sorted(os.listdir("/run/netns")),
        "mounts": sorted(f"{fields[3]} on {fields[4]} {fields[5]}" for fields in mounts),
        "sysctls": sysctls(),
    }


def passing() -> Snapshot:
    """Return what may be there while the lab is up, and must be gone afterwards."""
    return {"processes": processes(), "control groups": control_groups(), "run": sorted(os.listdir("/run"))}


def sysctls() -> dict[str, str]:
    found = {}
    for directory, _directories, names in os.walk("/proc/sys"):
        for name in names:
            path = os.path.join(directory, name)
            if path in VOLATILE or not os.stat(path).st_mode & 0o200:
                continue
            try:
                found[path] = Path(path).read_text(errors="replace")
            except OSError:
                continue  # to be written only
    return found


def processes() -> list[str]:
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                break
        except ChildProcessError:
            break
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            found.append(f"{path.name} {(path / 'comm').read_text().strip()}")
        except OSError:
            continue
    return sorted(found)


def control_groups() -> list[str]:
    """Return the groups of this test's lab, wherever they may be in the hierarchy."""
    place = Path("/run/nf-test-cgroup")
    place.mkdir()
    subprocess.run(["mount", "-t", "cgroup2", "cgroup2", str(place)], check=True)
    try:
        return sorted(str(path) for path in place.glob(f"**/{NAME}"))
    finally:
        subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


def whole_life(during: Callable[[], None]) -> None:
    run_lab("up", "pair", "--name", NAME)
    during()
    run_lab("exec", NAME, "controller", "--", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & exit 0")
    run_lab("reboot", NAME, "node1")
    run_lab("down", NAME)


def killed_while_up(during: Callable[[], None]) -> None:
    """kill -9 of `lab up` at many moments; then `down`, which knows only what is on disk."""
    cut_off = 0
    for step in range(16):
        process = subprocess.Popen(
            [sys.executable, str(LAB), "up", "pair", "--name", NAME],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while not Path("/run/nf-lab", NAME).exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.02 * step)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            cut_off += 1
        process.wait()
        run_lab("down", NAME)
    if cut_off < 4:
        sys.exit(f"only {cut_off} of the kills hit a lab that was being built")


def killed_parts(during: Callable[[], None]) -> None:
    """kill -9 of a host's init, then of the keeper; `down` twice."""
    run_lab("up", "pair", "--name", NAME)
    first = run_lab("status", NAME).stdout.splitlines()[1].split()
    os.kill(int(first[-1]), signal.SIGKILL)
    time.sleep(0.3)
    if "node1            10.44.1.11       down" not in run_lab("status", NAME, check=False).stdout:
        sys.exit("a host whose init was killed is not shown as down")
    record = json.loads(Path("/run/nf-lab", NAME, "lab.json").read_text())
    os.kill(record["keeper"]["pid"], signal.SIGKILL)
    time.sleep(0.3)
    if "is dead" not in run_lab("exec", NAME, "node2", "--", "true", check=False).stderr:
        sys.exit("a lab whose keeper was killed is not said to be dead")
    run_lab("down", NAME)
    run_lab("down", NAME)


def all_labs(during: Callable[[], None]) -> None:
    run_lab("up", "single", "--name", NAME)
    run_lab("up", "single", "--name", f"{NAME}-2")
    run_lab("down", "--all")


SCENARIOS = {scenario.__name__: scenario for scenario in (whole_life, killed_while_up, killed_parts, all_labs)}


def differences(before: Snapshot, after: Snapshot) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in before.items():
        if value != after[key]:
            found[key] = {"before": value, "after": after[key]}
            if isinstance(value, list):
                gone = [item for item in value if item not in after[key]]
                found[key] = {"gone": gone, "new": [item for item in after[key] if item not in value]}
            if isinstance(value, dict):
                changed = {name for name in {*value, *after[key]} if value.get(name) != after[key].get(name)}
                found[key] = {name: (value.get(name), after[key].get(name)) for name in sorted(changed)}
    return found


def main(scenario: str) -> None:
    make_machine()
    settled_before, passing_before = settled(), passing()
    meanwhile: dict[str, Any] = {}

    def during() -> None:
        meanwhile.update(differences(settled_before, settled()))
        if not control_groups():
            sys.exit("the lab's control groups are not found while it is up: the comparison would compare nothing")

    SCENARIOS[scenario](during)
    found = {"while it was up": meanwhile} if meanwhile else {}
    found.update(differences(settled_before, settled()))
    found.update(differences(passing_before, passing()))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(sys.argv[1])
