# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A place with files of its own and a network namespace of its own, in which the real programs set parameters.

Run as a program it is the inner half: it holds both namespaces and answers questions, one JSON document a line.
All keys that it writes belong to its network namespace.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")
LINK, DIRECTORY = "link:", "directory:"
"""What begins with LINK is no text but where a link leads to; DIRECTORY makes a directory of the name."""
INTERFACE = "nf0.7"
INTERFACES = ("all", "default", "lo", INTERFACE)
BASE: Dict[str, str] = {
    **{f"net/ipv4/conf/{name}/{key}": "0" for name in INTERFACES for key in ("tag", "medium_id")},
    "net/ipv4/tcp_keepalive_time": "7200",
    "net/ipv4/tcp_keepalive_intvl": "75",
    "net/ipv4/tcp_fin_timeout": "60",
    "net/ipv4/tcp_rmem": "4096 131072 6291456",
    "net/core/somaxconn": "4096",
}
SYSTEMD = ("/lib/systemd/systemd-sysctl", "/usr/lib/systemd/systemd-sysctl")


def systemd_sysctl() -> Optional[str]:
    """Return where the program is, None where this machine has none."""
    return next((path for path in SYSTEMD if os.path.exists(path)), None)


def procps_sysctl() -> Optional[Tuple[str, int]]:
    """Return the program and the major version of its package; NETFIT_SYSCTL names another one to be tested."""
    path = os.environ.get("NETFIT_SYSCTL") or shutil.which("sysctl", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if path is None:
        return None
    words = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout.split()
    return (path, int(words[-1].split(".")[0])) if "procps-ng" in words else None


class SysctlHost:
    """The outer half: a context manager around the process that lives inside."""

    def __enter__(self) -> SysctlHost:
        command = ["unshare", "--net", "--mount", sys.executable, __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._read()
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    @property
    def root(self) -> str:
        """Where its files are seen from outside."""
        return f"/proc/{self._process.pid}/root"

    def write(self, files: Mapping[str, str]) -> None:
        """Replace all files by these: text (bytes as "surrogateescape" has them), or what LINK and DIRECTORY say."""
        self._ask({"write": dict(files)})

    def run(self, command: List[str]) -> Dict[str, str]:
        """Give all keys their base values, run the program, and return the values that the keys have then."""
        values = self._ask({"run": command})
        assert isinstance(values, dict)
        return values

    def _ask(self, question: Any) -> Any:
        assert self._process.stdin is not None
        print(json.dumps(question), file=self._process.stdin, flush=True)
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process inside has ended"
        return json.loads(line)


def _prepare() -> None:
    """Give everything that the programs read a place in memory, seen from this mount namespace only."""
    for path in ("/etc", "/run", "/usr/local/lib", "/usr/lib/sysctl.d"):
        subprocess.run(["mount", "-t", "tmpfs", "none", path], check=True)
    subprocess.run(["ip", "link", "add", INTERFACE, "type", "veth", "peer", "name", "nf1"], check=True)


def _write(files: Mapping[str, str]) -> None:
    Path("/etc/sysctl.conf").unlink(missing_ok=True)
    for directory in DIRECTORIES:
        if directory == "/usr/lib/sysctl.d":
            for entry in Path(directory).iterdir():
                entry.rmdir() if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        else:
            shutil.rmtree(directory, ignore_errors=True)
            Path(directory).mkdir()
    for path, content in files.items():
        if content.startswith(LINK):
            os.symlink(content[len(LINK) :], path)
        elif content.startswith(DIRECTORY):
            os.mkdir(path)
        else:
            Path(path).write_bytes(content.encode("utf-8", "surrogateescape"))


def _run(command: List[str]) -> Dict[str, str]:
    for key, value in BASE.items():
        Path("/proc/sys", key).write_text(value, encoding="ascii")
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return {key: " ".join(Path("/proc/sys", key).read_text(encoding="ascii").split()) for key in BASE}


def main() -> None:
    """Answer until the other side closes."""
    _prepare()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        answer = _write(question["write"]) if "write" in question else _run(question["run"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
