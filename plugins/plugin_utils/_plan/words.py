# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An MTU plan as a person reads it: the verdict first, then host by host. Never wider than 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, Dict, Iterator, List, Tuple

COLUMNS = 100
MOST_LINES = 24
"""Links of one host that are named; the plan itself has them all."""

Record = Mapping[str, Any]


def plan_text(plan: Record) -> str:
    """Return the plan in lines. plan: what make_plan returned."""
    lines = [*_wrapped(verdict(plan)), ""]
    for group in plan["cluster"]["groups"]:
        lines.extend([*_wrapped(_group(group)), ""])
    for names, body in _alike(plan["hosts"]):
        if len(body) > 1:
            lines.extend([*_wrapped(f"{', '.join(names)}: {body[0]}"), *body[1:], ""])
        else:
            lines.extend([*_wrapped(f"As planned already: {', '.join(names)}."), ""])
    for one in plan["not_planned"]:
        lines.extend(_wrapped(f"Not planned: {one['host']}, {one['reason']}."))
    return "\n".join(lines).rstrip() + "\n"


def _alike(hosts: Record) -> List[Tuple[List[str], Tuple[str, ...]]]:
    """The hosts of which the same is to be said, with what that is; those that change first."""
    found: Dict[Tuple[str, ...], List[str]] = {}
    for name, host in hosts.items():
        found.setdefault((_summary(host), *_host(host, name)), []).append(name)
    return sorted(((names, body) for body, names in found.items()), key=lambda entry: -len(entry[1]))


def verdict(plan: Record) -> str:
    """Return the outcome in one sentence."""
    cluster, hosts = plan["cluster"], plan["hosts"]
    if not hosts:
        return "There is no host to plan for."
    sizes = sorted({group["pod_mtu"] for group in cluster["groups"] if group["encapsulation"] != "none"})
    pods = f"; pods are to have {' or '.join(str(size) for size in sizes)}" if sizes else ""
    claimed = sorted(name for name in hosts if hosts[name]["underlay"]["source"] == "claimed")
    doubt = f" What the network carries is claimed, not measured, on {len(claimed)} of {len(hosts)}." if claimed else ""
    if not cluster["changes"]:
        return f"Nothing to change: what is set fits what the network carries{pods}.{doubt}"
    links = sum(len(host["steps"]) + len(host["routes"]) for host in hosts.values())
    settings = sum(one["now"] != one["value"] for host in hosts.values() for one in host["knobs"])
    counts = [_plural(links, "link"), _plural(settings, "setting")]
    found = " and ".join(text for text in counts if not text.startswith("0 "))
    return f"{found} to change on {len(cluster['changed_hosts'])} of {len(hosts)} hosts{pods}.{doubt}"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")


def _group(group: Record) -> str:
    narrow = group["narrowest"]
    names = ", ".join(group["hosts"][:6]) + (" ..." if len(group["hosts"]) > 6 else "")
    source = {"measured": narrow["peer"], "given": "as given"}.get(narrow["source"], f"as {narrow['link']} claims")
    less = f", less {group['overhead']} for {group['encapsulation']} over {group['family']}"
    below = less if group["encapsulation"] != "none" else ", no encapsulation"
    return f"{names}: the network carries {group['underlay_mtu']} ({source}){below}: pods {group['pod_mtu']}."


def _summary(host: Record) -> str:
    return f"underlay {host['underlay_mtu']}, pods {host['pod_mtu']}, containers {host['container_mtu']}"


def _host(host: Record, name: str) -> Iterator[str]:
    """Yield the lines about a host. What belongs to the host itself is not named after it, so that hosts can be
    alike."""
    for number, step in enumerate(host["steps"][:MOST_LINES], start=1):
        owner = "" if step["owner"] == f"the host on {name}" else f" of {step['owner'].removesuffix(f' on {name}')}"
        text = f"{number}. {step['link']}{owner}: {step['now']} to {step['mtu']} ({step['why']})"
        yield from _wrapped(text, "  ", "     ")
    if len(host["steps"]) > MOST_LINES:
        yield f"  and {len(host['steps']) - MOST_LINES} more, all in the plan"
    for route in host["routes"][:MOST_LINES]:
        text = f"- route {route['destination']} of {route['owner']}: {route['now']} to {route['mtu']}"
        yield from _wrapped(text, "  ", "     ")
    for one in host["knobs"]:
        if one["now"] != one["value"]:
            now = "nothing" if one["now"] is None else one["now"]
            where = f" ({one['file']})" if one["file"] else ""
            yield from _wrapped(f"- {one['knob']}: {now} to {one['value']}{where}", "  ", "     ")
    for title, key in (
        ("restart", "restarts"),
        ("disruption", "disruption"),
        ("stays broken", "stays_broken"),
        ("note", "notes"),
    ):
        for text in host[key]:
            text = text.replace(f"the host on {name}", "the host")
            yield from _wrapped(f"{title}: {text}", "  ", "     ")
    for one in host["waits_for_owner"]:
        yield from _wrapped(f"waits for the cluster's owner: {one['knob']} = {one['value']}", "  ", "     ")


def _wrapped(text: str, first: str = "", following: str = "  ") -> List[str]:
    return textwrap.wrap(text, COLUMNS, initial_indent=first, subsequent_indent=following, break_on_hyphens=False)
