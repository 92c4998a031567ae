# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One look at a host: its network namespaces, their owners, and what a visit to each brought home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple, TypeVar

from .._kernel.processes import RunningProcess
from .._kernel.visiting import visit
from .._model.fact import Problem
from .._model.owner import Namespace
from .census import take_census
from .owners import Owners
from .reading import Reader, Reading

Found = TypeVar("Found")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Survey:
    """What one run found. readings: by inode. processes: by pid. problems: grows while facts are made of it."""

    namespaces: Sequence[Namespace]
    owners: Owners
    readings: Mapping[int, Reading]
    processes: Mapping[int, RunningProcess]
    problems: List[Problem]

    @property
    def host_inodes(self) -> List[int]:
        """Inode of the host's network namespace, in a list; empty where it could not be found."""
        return [namespace.inode for namespace in self.namespaces if namespace.host]

    def noted(self, found: Tuple[Found, List[Problem]]) -> Found:
        """Keep the problems of a result and return the rest."""
        self.problems.extend(found[1])
        return found[0]

    def visit(self, namespaces: Sequence[Namespace], function: Callable[[Namespace], Result]) -> Dict[int, Result]:
        """Call the function inside each namespace; results by inode, problems noted."""
        return _visited(namespaces, function, self.problems)

    def per_namespace(self, make: Callable[[Namespace, Reading], Dict[str, Any]]) -> List[Dict[str, Any]]:
        """One entry for each namespace that was read, the host's first, in the shape that all facts share."""
        read = [namespace for namespace in self.namespaces if namespace.inode in self.readings]
        return [
            {
                "inode": namespace.inode,
                "owner": self.owners.of_namespace(namespace).as_fact(),
                "paths": list(namespace.paths),
                **make(namespace, self.readings[namespace.inode]),
            }
            for namespace in read
        ]


def survey(root: str, reader: Reader) -> Survey:
    """Find the network namespaces and their owners, and read each once. root: "/" on a real host."""
    census = take_census(root)
    problems = list(census.problems)
    readings = _visited(census.namespaces, reader.read, problems)
    for reading in readings.values():
        problems.extend(reading.problems)
    return Survey(census.namespaces, census.owners, readings, census.processes, problems)


def _visited(
    namespaces: Sequence[Namespace], function: Callable[[Namespace], Result], problems: List[Problem]
) -> Dict[int, Result]:
    results: Dict[int, Result] = {}
    refused: Dict[Tuple[str, str], List[Problem]] = {}
    for namespace, result in visit(namespaces, function):
        if isinstance(result, Problem):
            refused.setdefault((result.subject, result.reason), []).append(result)
        else:
            results[namespace.inode] = result
    for (subject, reason), same in refused.items():
        problems.append(same[0] if len(same) == 1 else Problem(subject, f"of {len(same)} namespaces: {reason}"))
    return results
