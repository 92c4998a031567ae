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
from .._model.listener import Listener, Process
from .._model.owner import Namespace, Owner
from .reading import QUEUE_KEYS, Reader, Reading, Sample, drop_rate, rates
from .survey import Survey

Wait = Callable[[float], None]
"""Sleeps until the monotonic moment that it is given."""


def listen_queue_fact(survey: Survey, reader: Reader, interval: float, wait_until: Wait) -> Dict[str, Any]:
    """Listening sockets and counters, with rates over the interval (seconds; 0: one reading and no rates)."""
    inodes = {listener.inode for reading in survey.readings.values() for listener in reading.listeners}
    holders = survey.noted(read_socket_owners(survey.processes, inodes))
    samples: Mapping[int, Sample] = {}
    if interval > 0 and survey.readings:
        wait_until(max(reading.taken for reading in survey.readings.values()) + interval)
        samples = survey.visit(survey.namespaces, reader.sample)

    def entry(namespace: Namespace, reading: Reading) -> Dict[str, Any]:
        owner = survey.owners.of_namespace(namespace)
        sample = samples.get(namespace.inode)
        listeners = [_attributed(listener, survey, holders, owner) for listener in reading.listeners]
        return {
            **_queue_sysctls(reading),
            "listeners": as_plain([_rated(listener, reading, sample) for listener in listeners]),
            "counters": reading.counters,
            "rates": rates(reading.sample(), sample) if sample else {},
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


def _attributed(listener: Listener, survey: Survey, holders: Mapping[int, int], owner: Owner) -> Listener:
    pid = holders.get(listener.inode)
    if pid is None:
        return replace(listener, owner=owner)
    return replace(
        listener,
        process=Process(pid, survey.processes[pid].name, read_executable(pid)),
        unit=survey.owners.unit_of_process(pid),
        owner=survey.owners.of_process(pid, owner),
    )


def _rated(listener: Listener, reading: Reading, sample: Optional[Sample]) -> Listener:
    if sample is None:
        return listener
    return replace(listener, drop_rate=drop_rate(listener.cookie, reading.sample(), sample))
