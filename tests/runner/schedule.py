# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two jobs at once, never two that exclude each other."""

from __future__ import annotations

import threading
from typing import Callable, List, Optional, Sequence, Set

from runner.jobs import Job

WORKERS = 2


def run_all(jobs: Sequence[Job], do: Callable[[Job], None]) -> None:
    """Call do(job) for each, in threads, in order as far as exclusion allows. Returns when all are done.

    An exception of do() or an interrupt leaves the waiting jobs undone and is raised here.
    """
    waiting = _Waiting(jobs)
    problems: List[BaseException] = []

    def work() -> None:
        job = waiting.take()
        while job is not None:
            try:
                do(job)
            except BaseException as problem:
                problems.append(problem)
                waiting.drop_all()
            waiting.give_back(job)
            job = waiting.take()

    threads = [threading.Thread(target=work, name=f"worker-{number}") for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException:
        waiting.drop_all()
        raise
    if problems:
        raise problems[0]


class _Waiting:
    """The jobs that nobody does yet."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = list(jobs)
        self._busy: Set[str] = set()
        self._changed = threading.Condition()

    def take(self) -> Optional[Job]:
        """Return the first job that may run now; wait while there are only others; None when there are none."""
        with self._changed:
            while self._jobs:
                for job in self._jobs:
                    if job.one_at_a_time not in self._busy:
                        self._jobs.remove(job)
                        self._busy.update(filter(None, [job.one_at_a_time]))
                        return job
                self._changed.wait()
            return None

    def give_back(self, job: Job) -> None:
        """Say that a job is done."""
        with self._changed:
            self._busy.difference_update(filter(None, [job.one_at_a_time]))
            self._changed.notify_all()

    def drop_all(self) -> None:
        """Forget the jobs that wait."""
        with self._changed:
            self._jobs.clear()
            self._changed.notify_all()
