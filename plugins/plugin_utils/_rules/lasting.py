# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names a finding for as long as its host and its workload last, though the workload's pods are made anew.

A fingerprint names one pod, so that two replicas on a host are two findings; the pod of the next rollout has another.
"""

from __future__ import annotations

import re
from typing import Optional, Pattern, Tuple

from .plain import Record, record, text

_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
"""What generated names are made of: k8s.io/apimachinery/pkg/util/rand."""
_POD: Tuple[Tuple[Pattern[str], str], ...] = (
    # A Deployment's: hash of the template and five more; a DaemonSet's or Job's: five.
    (re.compile(rf"(?:-{_RANDOM}{{6,10}})?-{_RANDOM}{{5}}$"), "-*"),
    # A CronJob's Job: the minute for which it was planned.
    (re.compile(r"-[0-9]{8,10}-\*$"), "-*"),
)
_CONTAINER: Tuple[Tuple[Pattern[str], str], ...] = ((re.compile(r"\.[0-9a-z]{25}$"), ".*"),)
"""A task of a Docker Swarm service: its number and 25 more."""
_UNKNOWN = ((re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{12,64}|[0-9]+"), "*"),)
_LINK = ((re.compile(r"^(veth|cali|lxc|tap|lxd|vnet)[0-9a-f]{3,}$"), r"\1*"),)
_POD_IN_WORDS = re.compile(r"(?<=\bpod )\S+")


def lasting_key(finding: Record) -> str:
    """Return the key of a finding as report.json holds it. Findings of replicas on one host have the same."""
    target = record(finding, "target")
    owner = record(target, "owner")
    kind = text(owner, "kind") or ""
    named = {"pod": _POD, "container": _CONTAINER, "unknown": _UNKNOWN}.get(kind, ())
    parts = [text(finding, "id"), text(target, "host"), text(target, "scope"), kind]
    parts += [_plain(text(owner, "name"), named), text(owner, "pod_namespace"), _plain(text(target, "link"), _LINK)]
    parts += [text(target, name) for name in ("key", "listener", "path")]
    return "|".join(str(part or "") for part in (*parts, _peer(text(target, "peer"))))


def _plain(name: Optional[str], generated: Tuple[Tuple[Pattern[str], str], ...]) -> Optional[str]:
    for pattern, instead in generated if name is not None else ():
        name = pattern.sub(instead, name or "")
    return name


def _peer(peer: Optional[str]) -> Optional[str]:
    """Leave hosts as they are: those of a group that scales are called like pods."""
    return None if peer is None else _POD_IN_WORDS.sub(lambda found: _plain(found[0], _POD) or "", peer)
