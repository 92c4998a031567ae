# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.html: one file that opens offline, made from the content of report.json.

Nothing is loaded from elsewhere, and the content security policy of the page lets nothing be: the one style sheet and
the one script are known to it by their digests.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from ..safe_text import REPLACEMENT, writable
from .changes import list_changes
from .drawing import Drawing
from .finding_list import PAGE, list_findings
from .heat_map import heat_maps
from .host_list import list_hosts
from .path_picture import draw_narrow, draw_wide
from .path_story import MOST_STORIES, tell
from .queues import BAR_WIDTH, queue_bars
from .requests import idle_bars, rate_maps
from .story import Story
from .verdict import judge

FOLDER = Path(__file__).parent
DIRECTIONS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], REPLACEMENT)
"""Characters that turn the direction of the text around them, so that it reads as something else."""


def render_page(document: Mapping[str, Any], before: Optional[Mapping[str, Any]] = None) -> str:
    """Return the page. document: the content of report.json. before: that of an earlier one to compare with, or None.

    The result is the same for the same input.
    """
    style, script = _read("page.css"), _read("page.js")
    stories = tell(document)
    bars, more_bars = queue_bars(document["findings"])
    rates, more_rates = rate_maps(document.get("http", ()))
    idle, more_idle = idle_bars(document.get("keepalive", ()))
    template = _environment().get_template("page.html.j2")
    return template.render(
        document=document,
        policy=(
            "default-src 'none'; base-uri 'none'; form-action 'none'; "
            f"style-src '{digest(style)}'; script-src '{digest(script)}'"
        ),
        style=Markup(style),
        script=Markup(script),
        verdict=judge(document, stories),
        stories=_pictures(stories[:MOST_STORIES]),
        stories_before=_pictures(tell(before)[:1]) if before is not None else [],
        more_stories=stories[MOST_STORIES:],
        maps=heat_maps(document["paths"]),
        rates=rates,
        more_rates=more_rates,
        idle=idle,
        more_idle=more_idle,
        bars=bars,
        more_bars=more_bars,
        bar_width=BAR_WIDTH,
        findings=list_findings(document["findings"]),
        page_size=PAGE,
        hosts=list_hosts(document["hosts"]),
        changes=list_changes(before, document) if before is not None else None,
    )


def _pictures(stories: Sequence[Story]) -> List[Tuple[Story, Drawing, Drawing]]:
    """Return each story with its picture for wide and for narrow screens."""
    return [(story, draw_wide(story), draw_narrow(story)) for story in stories]


def digest(text: str) -> str:
    """Return how a content security policy names an inline script or style sheet: CSP Level 3, 6.7.3.3."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


@lru_cache(maxsize=None)
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _clean(value: Any) -> Any:
    """Replace what must not be in a page, or misleads who reads it; our own markup stays as it is."""
    if value is None:
        return ""
    return writable(value).translate(DIRECTIONS) if isinstance(value, str) and not isinstance(value, Markup) else value
