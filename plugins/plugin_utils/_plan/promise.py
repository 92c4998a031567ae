# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to hold once a plan is carried out: so many bytes on each path, and findings that are gone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Dict, List, Optional, Tuple

from .._rules.path_key import carried, end_hosts, is_host_end, path_key
from .._rules.plain import Record, record, records, text, whole

SCHEMA_VERSION = 1
TAGS = {
    "live": ("live", "link_mtu"),
    "tunnels": ("mtu", "link_mtu"),
    "uplinks": ("mtu", "link_mtu"),
    "cni": ("cni", "cni_mtu"),
    "runtime": ("runtime", "cni_mtu"),
}
PARTS = tuple(TAGS)
"""What can be carried out, and the tags of the playbook that does it: links of running pods and containers, devices of
overlays, hosts' own links, settings of Kubernetes' networks, settings of container runtimes."""
PART_OF_LEVEL = {"pair": "live", "bridge": "live", "tunnel": "tunnels", "uplink": "uplinks"}
PATH_RULES = ("PATH-001", "PATH-002", "PATH-003", "PATH-005", "PATH-007", "MSS-001")
"""What a path whose ends send no more than it carries cannot have."""


def parts_of(tags: Collection[str], skipped: Collection[str]) -> List[str]:
    """Return the parts that the playbook carries out with these tags, without those that are skipped."""
    return [
        part
        for part, names in TAGS.items()
        if not {"all", "tagged", *names}.isdisjoint(tags) and set(names).isdisjoint(skipped)
    ]


def make_promise(plan: Record, report: Record, parts: Collection[str] = PARTS) -> Dict[str, Any]:
    """Return the promise as plain values.

    plan: what make_plan returned. report: of the audit before, as in report.json. parts: what is carried out, of PARTS.
    A path or finding about which the plan says nothing is not promised.
    """
    paths = [one for one in (_path(plan, entry, parts) for entry in records(report, "paths")) if one is not None]
    sound = {one["key"] for one in paths if one["sound"]}
    gone, waiting = [], []
    for finding in records(report, "findings"):
        if text(finding, "status") != "fail":
            continue
        reason = _waits(plan, finding)
        if reason is not None:
            waiting.append({**_named(finding), "reason": reason})
        elif _heals(plan, finding, parts) or _about_sound_path(finding, records(report, "paths"), sound):
            gone.append(_named(finding))
    return {
        "schema_version": SCHEMA_VERSION,
        "parts": [part for part in PARTS if part in parts],
        "paths": paths,
        "findings": gone,
        "waiting": waiting,
    }


def _named(finding: Record) -> Dict[str, Any]:
    names = {name: text(finding, name) for name in ("fingerprint", "id", "title")}
    return {**names, "host": text(record(finding, "target"), "host")}


def _path(plan: Record, entry: Record, parts: Collection[str]) -> Optional[Dict[str, Any]]:
    tcp = text(entry, "kind") == "tcp"
    hosts = record(plan, "hosts")
    names = end_hosts(entry)[1:] if tcp else end_hosts(entry)
    ends = [record(hosts, name) for name in names if name is not None and name in hosts]
    now = carried(entry)
    if len(ends) < len(names) or now is None:
        return None
    between_hosts = not tcp and is_host_end(record(entry, "source")) and is_host_end(record(entry, "peer"))
    size = "underlay_mtu" if between_hosts else "pod_mtu"
    fits = min(whole(end, size) or 0 for end in ends)
    raised = any(
        (whole(step, "mtu") or 0) > (whole(step, "now") or 0) for end in ends for step in records(end, "steps")
    )
    minimum = fits if raised and {"live", "tunnels"} <= set(parts) else min(fits, now)
    sound = all(_sends_no_more(end, parts) for end in ends) if between_hosts else "live" in parts
    return {"key": path_key(entry), "name": text(entry, "name"), "minimum": minimum, "sound": sound}


def _sends_no_more(host: Record, parts: Collection[str]) -> bool:
    """Whether the host's own link is no larger than its paths, once the plan is carried out."""
    underlay = record(host, "underlay")
    size = whole(underlay, "link_mtu") or 0
    for step in records(host, "uplinks") if "uplinks" in parts else ():
        if text(step, "link") == text(underlay, "link"):
            size = whole(step, "mtu") or size
    return size <= (whole(underlay, "mtu") or 0)


def _heals(plan: Record, finding: Record, parts: Collection[str]) -> bool:
    """Whether the plan does to every link what the finding's remedy asks for, or to every setting."""
    remedy = record(finding, "remedy")
    variables = record(remedy, "variables")
    target = text(record(finding, "target"), "host") or ""
    if text(remedy, "tag") == "cni_mtu":
        return _setting(plan, finding) is not None and bool({"cni", "runtime"} & set(parts))
    changes = records(variables, "links")
    if text(remedy, "tag") != "link_mtu" or not changes:
        return False
    named = variables.get("hosts")
    names = [str(name) for name in named] if isinstance(named, (list, tuple)) else [target]
    return all(_planned(record(record(plan, "hosts"), name), change, parts) for name in names for change in changes)


def _planned(host: Record, change: Record, parts: Collection[str]) -> bool:
    for step in records(host, "steps"):
        same = all(step.get(name) == change.get(name) for name in ("link", "namespace", "pid"))
        if same and PART_OF_LEVEL.get(text(step, "level") or "") in parts:
            return (whole(step, "mtu") or 0) <= (whole(change, "mtu") or 0)
    return False


def _about_sound_path(finding: Record, paths: List[Mapping[str, Any]], sound: Collection[str]) -> bool:
    target = record(finding, "target")
    if text(finding, "id") not in PATH_RULES or text(target, "peer") is None:
        return False
    return any(path_key(entry) in sound and _identity(entry) == _target(target) for entry in paths)


def _target(target: Record) -> Tuple[Optional[str], ...]:
    owner = record(target, "owner")
    return text(target, "host"), text(owner, "kind"), text(owner, "name"), text(target, "peer")


def _identity(entry: Record) -> Tuple[Optional[str], ...]:
    source, peer, network = record(entry, "source"), record(entry, "peer"), text(entry, "network")
    owner = record(source, "owner")
    words = (text(peer, "name") or "") + (f" on network {network}" if network is not None else "")
    words += " by IPv6" if text(entry, "family") == "ipv6" else ""
    return text(entry, "host"), text(owner, "kind"), text(owner, "name"), words


def _waits(plan: Record, finding: Record) -> Optional[str]:
    """Why a finding stays until the cluster's owner acts; None for one that does not."""
    if text(record(finding, "remedy"), "tag") != "cni_mtu":
        return None
    knob = _setting(plan, finding)
    host = record(record(plan, "hosts"), text(record(finding, "target"), "host") or "")
    waiting = [
        one for one in records(host, "waits_for_owner") if knob is not None and one.get("file") == knob.get("file")
    ]
    return text(waiting[0], "reason") if waiting else None


def _setting(plan: Record, finding: Record) -> Optional[Record]:
    """The setting of the plan that a finding's remedy is about, by the file that holds it."""
    files = record(record(finding, "remedy"), "variables").get("files")
    host = record(record(plan, "hosts"), text(record(finding, "target"), "host") or "")
    known = [one for one in records(host, "knobs") if isinstance(files, (list, tuple)) and one.get("file") in files]
    return next((one for one in known if one.get("now") != one.get("value")), None)
