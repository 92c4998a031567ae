# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON lines: one object a line, for log pipelines. Each line says of itself what it is and when it was found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Iterator, Optional

Document = Mapping[str, Any]


def render(document: Document, before: Optional[Document] = None) -> str:
    """Return a line for the audit, one per host, per finding and per path, each with `record` and `generated_at`."""
    common = {"generated_at": document["generated_at"]}
    return "".join(
        json.dumps({**entry, "record": record, **common}, sort_keys=True) + "\n" for record, entry in _entries(document)
    )


def _entries(document: Document) -> Iterator[tuple[str, Document]]:
    names = ("schema_version", "policy", "summary")
    yield "audit", {name: document[name] for name in names}
    for name, host in document["hosts"].items():
        yield "host", {"host": name, **host}
    for finding in document["findings"]:
        yield "finding", finding
    for path in document["paths"]:
        yield "path", path
