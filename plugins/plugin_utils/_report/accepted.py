# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was accepted, in words: findings that are waived, waivers that apply to nothing, failures that are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, List, Optional

Record = Mapping[str, Any]


def waiver_text(finding: Record) -> Optional[str]:
    """Return what a finding's waiver says, and that it has expired where it has; None where there is none."""
    waiver = finding.get("waiver")
    if waiver is None:
        return None
    by = f" by {waiver['by']}" if waiver["by"] else ""
    if waiver["expired"]:
        return f"waived{by} until {waiver['expires']}, which is over ({waiver['justification']})"
    until = f" until {waiver['expires']}" if waiver["expires"] else ""
    return f"waived{by}{until} ({waiver['justification']})"


def over(finding: Record) -> str:
    """Return what follows a finding that is no longer accepted, in one line; nothing for all others."""
    waiver = finding.get("waiver")
    return f"; {waiver_text(finding)}" if waiver is not None and waiver["expired"] else ""


def unused_waivers(document: Record) -> List[str]:
    """Return each waiver that matches no finding, with the reason."""
    entries = document.get("waivers", {}).get("entries", ())
    return [
        f"{one['rule']} for {', '.join(f'{name} {text}' for name, text in one['target'].items())}: {one['unused']}"
        for one in entries
        if one["unused"] is not None
    ]


def baseline_text(document: Record) -> Optional[str]:
    """Return how many failures are new and how many are known from the baseline; None where there is none."""
    baseline = document.get("baseline")
    if baseline is None:
        return None
    of = f" of {baseline['generated_at']}" if baseline["generated_at"] else ""
    worse = f" ({baseline['worse']} of them more severe now)" if baseline["worse"] else ""
    known = baseline["known"] + baseline["worse"]
    return f"Baseline{of}: {baseline['new']} of these are new, {known} were there before{worse}."
