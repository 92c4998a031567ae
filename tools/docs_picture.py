# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes docs/images/path.svg, the path picture of the incident as it was recorded.

    .venv/bin/python tools/docs_picture.py

It stands by itself: its colours follow the reader's light or dark scheme, on a ground of its own. A test tells when it
is out of date.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "tests" / "unit" / "data" / "reports" / "incident.json"
PICTURE = ROOT / "docs" / "images" / "path.svg"
PAGE = "ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.page"
MARGIN = 24
FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif'


def main() -> int:
    """Write the picture of what this checkout draws, whatever is installed. Returns the exit status."""
    with tempfile.TemporaryDirectory(prefix="netfit-picture-") as scratch:
        link = Path(scratch, "ansible_collections", "netfit", "cluster")
        link.parent.mkdir(parents=True)
        link.symlink_to(ROOT)
        sys.path.insert(0, scratch)
        page = importlib.import_module(PAGE).render_page(json.loads(REPORT.read_text(encoding="utf-8")))
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(picture(page), encoding="utf-8")
    return 0


def picture(page: str) -> str:
    """Return the first path picture of a report's page as a file of its own. page: the content of report.html.

    Raises ValueError where the page is not made as it was: no picture, or no colours at the start of its style sheet.
    """
    drawing = re.search(r'<svg class="picture wide" viewBox="0 0 (\d+) (\d+)" [^>]*>\n(.*?)</svg>', page, re.DOTALL)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    colours = style and re.match(r"\s*(:root\{.*?\}\n@media[^{]*dark\)\{:root\{.*?\}\})\n", style[1], re.DOTALL)
    if not (drawing and style and colours):
        raise ValueError("the page of the report has no path picture with a style sheet as this tool knows them")
    width, height = int(drawing[1]) + 2 * MARGIN, int(drawing[2]) + 2 * MARGIN
    rules = [line for line in style[1].splitlines() if re.match(r"\.(picture text|picture \.|hop|way|cross )", line)]
    label = re.search(r"<title id=\"([^\"]+)\">.*<desc id=\"([^\"]+)\">", drawing[3], re.DOTALL)
    labels = f' aria-labelledby="{label[1]} {label[2]}"' if label else ""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img"{labels}>',
            "<!-- Made by tools/docs_picture.py from tests/unit/data/reports/incident.json: edit neither. -->",
            "<style>",
            colours[1],
            f"text{{font-family:{FONT}}}",
            *rules,
            "</style>",
            f'<rect width="{width}" height="{height}" rx="10" style="fill:var(--ground)"/>',
            f'<g transform="translate({MARGIN} {MARGIN})">',
            drawing[3].rstrip(),
            "</g>",
            "</svg>",
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
