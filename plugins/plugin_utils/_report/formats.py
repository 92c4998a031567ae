# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a report can be written as: one renderer each, all from the content of report.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional

from . import json_document, json_lines, junit, markdown, prometheus, sarif
from .html import page

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Format:
    """One kind of file. file: its name in the report's directory.

    render: takes the report, and an earlier one to compare with or None; returns the file's whole text.
    """

    name: str
    file: str
    render: Callable[[Document, Optional[Document]], str]


JSON = Format("json", "report.json", json_document.render)
FORMATS: Dict[str, Format] = {
    one.name: one
    for one in (
        JSON,
        Format("html", "report.html", page.render_page),
        Format("json_lines", "report.jsonl", json_lines.render),
        Format("junit", "report.junit.xml", junit.render),
        Format("markdown", "report.md", markdown.render),
        Format("prometheus", "report.prom", prometheus.render),
        Format("sarif", "report.sarif", sarif.render),
    )
}
"""By the name that the option `formats` takes."""
