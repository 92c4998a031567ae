# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Gathers the facts of one host: every network namespace is visited once, twice where rates are asked for."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator

from .._model.fact import as_plain
from .listen_queue_fact import listen_queue_fact
from .mtu_fact import mtu_fact
from .options import GatherOptions, Subset
from .reading import Reader
from .survey import Survey, survey
from .sysctl_fact import sysctl_fact


@dataclass(frozen=True)
class Clock:
    """Time as gather() sees it; tests hand in their own."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def wait_until(self, moment: float) -> None:
        """Sleep until a moment of the monotonic clock."""
        self.sleep(max(0.0, moment - self.monotonic()))


REAL_CLOCK = Clock()


def gather(options: GatherOptions, clock: Clock = REAL_CLOCK) -> Dict[str, Any]:
    """Return {netfit_mtu, netfit_sysctl, netfit_listen_queues}, those of the options' subsets, as plain values.

    options: valid ones (see GatherOptions.validate). What can't be read is listed under "problems" of each fact.
    """
    with _garbage_collection_paused():
        return _gather(options, clock)


@contextmanager
def _garbage_collection_paused() -> Iterator[None]:
    """Facts hold no circles: looking for some among ten thousands of new objects takes a tenth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _gather(options: GatherOptions, clock: Clock) -> Dict[str, Any]:
    reader = Reader(options, clock.monotonic)
    found = survey(options.root, reader)
    makers: Dict[Subset, Callable[[Survey], Dict[str, Any]]] = {
        Subset.MTU: lambda seen: mtu_fact(seen, options.root),
        Subset.SYSCTL: lambda seen: sysctl_fact(seen, options.sysctl_keys, options.root),
        Subset.LISTEN_QUEUES: lambda seen: listen_queue_fact(seen, reader, options.sample_interval, clock.wait_until),
    }
    facts = {subset: make(found) for subset, make in makers.items() if options.wants(subset)}
    problems = as_plain(found.problems)
    return {f"netfit_{subset.value}": {**fact, "problems": problems} for subset, fact in facts.items()}
