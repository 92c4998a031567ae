# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel says when it throws a packet away: events skb:kfree_skb of a private trace instance.

The events are those of the whole machine, whosever packets they are about: what is near in time to a packet of ours
is evidence, no more. Source: Documentation/trace/ftrace.rst (instances, trace_pipe, trace_clock);
include/trace/events/skb.h: since Linux 5.17 with a reason, whose name stands in the line.
"""

from __future__ import annotations

import itertools
import os
import re
from bisect import bisect_right
from collections import deque
from contextlib import suppress
from typing import Deque, Iterable, Iterator, List, Sequence

from .._model.sighting import KernelDrop
from .lifetimes import is_running, pid_namespace, start_time
from .tracefs import open_tracefs

LINE = re.compile(r"\s(?P<moment>\d+\.\d+): kfree_skb: .*?\blocation=(?P<location>\S+)(?:.*? reason: (?P<reason>\w+))?")
INSTANCE = re.compile(r"nf-(?P<pids>\d+)-(?P<pid>\d+)-(?P<started>\d+)-\d+\Z")
_NUMBERS = itertools.count()
BUFFER_KIB = 512
MAX_LINES = 20000
MAX_DROPS = 1000
SETTINGS = (
    ("buffer_size_kb", str(BUFFER_KIB)),
    ("trace_clock", "mono"),
    ("events/skb/kfree_skb/filter", "protocol == 0x0800 || protocol == 0x86dd"),
    ("events/skb/kfree_skb/enable", "1"),
)
NEAR = 0.01
"""Seconds after a packet was seen within which its end is looked for."""


def parse_line(line: str) -> Iterator[KernelDrop]:
    """Yield the drop that a line of the trace tells of, nothing for any other line."""
    found = LINE.search(line)
    if found is not None:
        location = found["location"].partition("+")[0]
        yield KernelDrop(float(found["moment"]), location, found["reason"])


def near(drops: Iterable[KernelDrop], moments: Sequence[float], seconds: float = NEAR) -> List[KernelDrop]:
    """Return the drops that came within some time after one of the moments, at most MAX_DROPS of them."""
    ordered = sorted(moments)
    kept: List[KernelDrop] = []
    for drop in drops:
        before = bisect_right(ordered, drop.moment)
        if before and drop.moment - ordered[before - 1] <= seconds and len(kept) < MAX_DROPS:
            kept.append(drop)
    return kept


class DropTrace:
    """A private trace instance that records drops until it is closed. Raises OSError where there can't be one."""

    def __init__(self) -> None:
        self._lines: Deque[str] = deque(maxlen=MAX_LINES)
        self._rest = ""
        self._instances = -1
        self._pipe = -1
        self._name = f"nf-{pid_namespace()}-{os.getpid()}-{start_time(os.getpid())}-{next(_NUMBERS)}"
        tracefs = open_tracefs()
        try:
            self._instances = os.open("instances", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=tracefs)
        finally:
            os.close(tracefs)
        try:
            remove_stale(self._instances)
            os.mkdir(self._name, 0o700, dir_fd=self._instances)
            self._begin()
        except OSError:
            self.close()
            raise

    def drain(self) -> None:
        """Take what was recorded since the last call."""
        while self._pipe >= 0:
            try:
                part = os.read(self._pipe, 1 << 16)
            except OSError:
                return
            if not part:
                return
            *lines, self._rest = (self._rest + part.decode("ascii", "replace")).split("\n")
            self._lines.extend(lines)

    def drops(self) -> Iterator[KernelDrop]:
        """Yield what was recorded, the oldest left out where it was too much."""
        for line in self._lines:
            yield from parse_line(line)

    def close(self) -> None:
        """Remove the instance."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
        if self._instances >= 0:
            _remove(self._instances, self._name)
            os.close(self._instances)
            self._instances = -1

    def _begin(self) -> None:
        for name, value in SETTINGS:
            _write(self._instances, f"{self._name}/{name}", value)
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        self._pipe = os.open(f"{self._name}/trace_pipe", flags, dir_fd=self._instances)


def remove_stale(instances: int) -> None:
    """Remove what runs left behind that were killed. instances: descriptor of tracefs' directory of that name.

    Those of another PID namespace are not ours to judge.
    """
    for name in os.listdir(instances):
        found = INSTANCE.match(name)
        if found is None or int(found["pids"]) != pid_namespace():
            continue
        if not is_running(int(found["pid"]), int(found["started"])):
            _remove(instances, name)


def _remove(instances: int, name: str) -> None:
    with suppress(OSError):
        _write(instances, f"{name}/events/enable", "0")
    with suppress(OSError):
        os.rmdir(name, dir_fd=instances)


def _write(directory: int, path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC, dir_fd=directory)
    try:
        os.write(descriptor, text.encode("ascii"))
    finally:
        os.close(descriptor)
