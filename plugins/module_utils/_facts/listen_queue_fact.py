# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The fact netfit_listen_queues."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Callable, Dict, Mapping, Optional

from .._kernel.processes import read_executable, read_socket_owners
from .._model.fact import as_plain
from .._model.listener import Process
from .._model.owner import Namespace, Owner
from .reading import QUEUE_KEYS, Reader, Reading, Sample, drop_rate, rates
from .survey import Survey

Wait = Callable[[float], None]
"""Sleeps until the monotonic moment that it is given."""


def listen_queue_fact(survey: Survey, reader: Reader, interval: float, wait_until: Wait) -> Dict[str, Any]:
    """Listening sockets and counters, with rates over the interval (seconds; 0: one reading and no rates)."""
    inodes = {listener.inode for reading in survey.readings.values() for listener in reading.listeners}
    holders = survey.noted(read_socket_owners(survey.processes, inodes))
    processes = {pid: Process(pid, survey.processes[pid].name, read_executable(pid)) for pid in set(holders.values())}
    samples: Mapping[int, Sample] = {}
    if interval > 0 and survey.readings:
        wait_until(max(reading.taken for reading in survey.readings.values()) + interval)
        samples = survey.visit(survey.namespaces, reader.sample)

    def entry(namespace: Namespace, reading: Reading) -> Dict[str, Any]:
        owner = survey.owners.of_namespace(namespace)
        before, after = reading.sample(), samples.get(namespace.inode)
        listeners = [
            replace(
                listener,
                drop_rate=drop_rate(listener.cookie, before, after) if after else None,
                **_holder(survey, processes.get(holders.get(listener.inode, 0)), owner),
            )
            for listener in reading.listeners
        ]
        return {
            **_queue_sysctls(reading),
            "listeners": as_plain(listeners),
            "counters": reading.counters,
            "rates": rates(before, after) if after else {},
        }

    return {
        "kernel": os.uname().release,
        "sample_interval": interval,
        "namespaces": survey.per_namespace(entry),
    }


def _queue_sysctls(reading: Reading) -> Dict[str, Optional[int]]:
    found: Dict[str, Optional[int]] = {}
    for key in QUEUE_KEYS:
        value = reading.sysctls.get(key)
        number = value.value if value else None
        found[key.rsplit(".", 1)[1].replace("tcp_", "")] = int(number) if number else None
    return found


def _holder(survey: Survey, process: Optional[Process], owner: Owner) -> Dict[str, Any]:
    """Who listens, as fields of a Listener. owner: that of the network namespace."""
    if process is None:
        return {"owner": owner}
    unit = survey.owners.unit_of_process(process.pid)
    return {"process": process, "unit": unit, "owner": survey.owners.of_process(process.pid, owner)}
