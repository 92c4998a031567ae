# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is wrong, where, how it is known and what heals it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, List, Optional, Tuple, Union

from .fact import Fact
from .owner import Owner


class Severity(Enum):
    """How much a finding matters, least first."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info up to 4 for critical."""
        return list(Severity).index(self)


class Status(Enum):
    """What a finding says. ERROR: it could not be checked, which is neither good nor bad news."""

    FAIL = "fail"
    ERROR = "error"
    WAIVED = "waived"
    FIXED = "fixed"


class Confidence(Enum):
    """MEASURED: seen to happen. DERIVED: follows from values that were read."""

    MEASURED = "measured"
    DERIVED = "derived"


@dataclass(frozen=True)
class Target(Fact):
    """What a finding is about.

    host: inventory name. scope: host, pod, container, unknown (a namespace without known owner) or cluster.
    owner: of the namespace or listener. link: interface name; key: sysctl; listener: "tcp 0.0.0.0:80";
    path: a file; peer: the far end of a network path that begins here. Whichever of the last five apply.
    """

    host: str
    scope: str
    owner: Optional[Owner] = None
    link: Optional[str] = None
    key: Optional[str] = None
    listener: Optional[str] = None
    path: Optional[str] = None
    peer: Optional[str] = None

    def identity(self) -> List[Optional[str]]:
        """Return what stays the same while the target lives on.

        Owners count by kind and names only: process ids, container ids and inodes change with every restart.
        The far end of a path is a part only where there is one.
        """
        owner: List[Optional[str]] = [None, None, None, None]
        if self.owner is not None:
            owner = [self.owner.kind.value, self.owner.name, self.owner.pod_namespace, self.owner.pod]
        end = [self.peer] if self.peer is not None else []
        return [self.host, self.scope, *owner, self.link, self.key, self.listener, self.path, *end]


@dataclass(frozen=True)
class Evidence(Fact):
    """One observation that supports a finding.

    what: in words, with the unit. value: as observed. source: file:line, netlink, a counter's file, where known.
    """

    what: str
    value: Union[str, int, float, None] = None
    source: Optional[str] = None


@dataclass(frozen=True)
class Remedy(Fact):
    """What heals it.

    tag: of the remediation playbook, which is also the name of the module that does the change.
    variables: what that change needs to know. disruption: what the change does to running traffic, in words.
    survives_restart: whether the change outlives a restart of the target (pod, container, service, host).
    """

    tag: str
    variables: Dict[str, Any] = field(default_factory=dict)
    disruption: str = "none"
    survives_restart: bool = False


@dataclass(frozen=True)
class Finding(Fact):
    """One statement about one target.

    id: of the rule, never reused. observed, expected: in words with units. values: of what was observed, where a reader
    of the report needs them as such; left out of the fact where there are none.
    """

    id: str
    title: str
    status: Status
    severity: Severity
    confidence: Confidence
    target: Target
    observed: str
    expected: str
    evidence: Tuple[Evidence, ...] = ()
    remedy: Optional[Remedy] = None
    references: Tuple[str, ...] = ()
    values: Dict[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 over the rule and the target's identity: the same finding in the next audit has the same."""
        text = json.dumps([self.id, *self.target.identity()], ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    @property
    def order(self) -> Tuple[int, str, List[str], str]:
        """Sort key: worst first, then by rule and target."""
        identity = ["" if part is None else part for part in self.target.identity()]
        return (-self.severity.rank, self.id, identity, self.status.value)

    def as_fact(self) -> Dict[str, Any]:
        """Return the fields as plain values, and the fingerprint."""
        told = super().as_fact()
        values = told.pop("values")
        return {**told, **({"values": values} if values else {}), "fingerprint": self.fingerprint}
