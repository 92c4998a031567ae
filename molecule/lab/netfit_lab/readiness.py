# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for hosts: a bounded time, and a message that shows what a host that does not come up printed."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from . import kernel_calls
from .errors import HostFailed
from .host import Host, run_to_end
from .host_files import unit_name

_SSH_PORT = 22
_TAIL_LINES = 25


@dataclass
class _Waiting:
    """What the thread that is in the controller's network namespace hands back."""

    pending: dict[str, Host]
    dead: str | None = None
    error: Exception | None = None


def wait_for_sshd(hosts: Iterable[Host], timeout: float) -> None:
    """Wait until sshd answers on every host. timeout: seconds, for all together. Raises HostFailed."""
    waiting = _Waiting({host.name: host for host in hosts})
    if not waiting.pending:
        return
    deadline = time.monotonic() + timeout
    namespace = next(iter(waiting.pending.values())).keeper.network_namespace("controller")

    def poll() -> None:
        try:
            # A thread of its own: it stays in that namespace until it ends.
            kernel_calls.join(namespace)
            _poll(waiting, deadline)
        except Exception as error:  # handed to the caller, for a thread has nobody to raise to
            waiting.error = error

    thread = threading.Thread(target=poll, name="nf-readiness")
    thread.start()
    thread.join()
    if waiting.error is not None:
        raise waiting.error
    if waiting.dead is not None:
        raise HostFailed(f"host {waiting.dead!r} ended while it booted\n{console_tail(waiting.pending[waiting.dead])}")
    if waiting.pending:
        late = next(iter(waiting.pending.values()))
        names = ", ".join(waiting.pending)
        raise HostFailed(f"after {timeout:g} s sshd does not answer on: {names}\n{console_tail(late)}")


def _poll(waiting: _Waiting, deadline: float) -> None:
    while waiting.pending and time.monotonic() < deadline:
        for name, host in list(waiting.pending.items()):
            if _answers(host.plan.address):
                del waiting.pending[name]
            elif not host.is_running:
                waiting.dead = name
                return
        time.sleep(0.1)


def _answers(address: str) -> bool:
    """Return whether an SSH server greets there; a host that has not got so far refuses at once."""
    try:
        with socket.create_connection((address, _SSH_PORT), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def wait_for_services(hosts: Iterable[Host], timeout: float) -> None:
    """Wait until the services that the topology asks for are started, on all hosts at once. Raises HostFailed."""
    deadline = time.monotonic() + timeout
    started: list[tuple[Host, subprocess.Popen[bytes]]] = []
    try:
        for host in hosts:
            if host.plan.services:
                # `start` joins the start that the boot has begun, and returns when it is done.
                command = ["systemctl", "start", *map(unit_name, host.plan.services)]
                streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
                started.append((host, host.start(command, stdin=subprocess.DEVNULL, **streams)))
        for host, process in started:
            if process.wait(max(0.1, deadline - time.monotonic())) != 0:
                raise HostFailed(f"{host.name}: services do not start\n{_service_log(host)}")
    except subprocess.TimeoutExpired as error:
        raise HostFailed(f"{host.name}: services are not started after {timeout:g} s\n{_service_log(host)}") from error
    finally:
        for _, process in started:
            if process.poll() is None:
                process.kill()
                process.wait()


def console_tail(host: Host) -> str:
    """Return the end of what the host's init printed and of its journal, as far as they can be had."""
    console = host.keeper.paths.console(host.name)
    lines = console.read_text(errors="replace").splitlines()[-_TAIL_LINES:] if console.exists() else []
    if host.is_running:
        command = ["journalctl", "--no-pager", f"--lines={_TAIL_LINES}", "--output=short-monotonic"]
        journal = run_to_end(host.argv(command), "journal", None, 20, check=False)
        lines += (journal.stdout or journal.stderr).splitlines()
    return "\n".join(f"  {host.name}| {line}" for line in lines)


def _service_log(host: Host) -> str:
    units = [f"--unit={unit_name(service)}" for service in host.plan.services]
    command = ["journalctl", "--no-pager", f"--lines={_TAIL_LINES}", "--output=short-monotonic", *units]
    return run_to_end(host.argv(command), "journal", None, 20, check=False).stdout
