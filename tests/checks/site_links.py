# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the built documentation site: site_links.py SITE

Every link and anchor leads somewhere, links lead from the start page to every page, and nothing is loaded from outside.
Needs markdown-it-py, because links.py does.
"""

from __future__ import annotations

import posixpath
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Sequence, Set
from urllib.parse import unquote, urlsplit

from links import Elements

START = "index.html"
MADE_BY_THEME = frozenset({"genindex.html", "search.html"})
"""Pages that need no link to them, or are linked to by a script."""
MAY_LOAD = ("data:",)
FEWEST_PAGES = 50


def main(arguments: Sequence[str]) -> int:
    """Check a site. Returns 0 when there is nothing to say against it."""
    site = Path(arguments[0]).resolve()
    pages = read_site(site)
    problems = list(check(site, pages))
    if len(pages) < FEWEST_PAGES:
        problems.append(f"the site has {len(pages)} pages, of at least {FEWEST_PAGES}")
    links = sum(len(page.page.targets) for page in pages.values())
    print("\n".join([*problems, f"{len(pages)} pages, {links} links, {len(problems)} problems"]))
    return 1 if problems else 0


def read_site(site: Path) -> Dict[str, Elements]:
    """Return all pages of a folder by their paths in it."""
    pages = {}
    for path in sorted(site.rglob("*.html")):
        elements = Elements()
        elements.feed(path.read_text(encoding="utf-8"))
        pages[path.relative_to(site).as_posix()] = elements
    return pages


def check(site: Path, pages: Dict[str, Elements]) -> Iterator[str]:
    """Yield what is wrong with the pages of a site."""
    for name, elements in pages.items():
        for target in elements.page.targets:
            problem = "" if is_elsewhere(target) else _problem(site, name, target, pages)
            if problem:
                yield f"{name}: {target}: {problem}"
        for target in elements.loads:
            if is_elsewhere(target) and not target.startswith(MAY_LOAD):
                yield f"{name}: {target}: is loaded from elsewhere"
    for name in sorted(set(pages) - reached(pages) - MADE_BY_THEME):
        yield f"{name}: no link leads here from {START}"


def is_elsewhere(target: str) -> bool:
    """Tell whether a link leads out of the site."""
    parts = urlsplit(target)
    return bool(parts.scheme or parts.netloc)


def place(name: str, target: str) -> str:
    """Return the path in the site that a link of a page leads to."""
    path = unquote(urlsplit(target).path)
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name


def _problem(site: Path, name: str, target: str, pages: Dict[str, Elements]) -> str:
    """Return what is wrong with a link inside the site, or ""."""
    where, anchor = place(name, target), unquote(urlsplit(target).fragment)
    if where.startswith("..") or not (site / where).is_file():
        return "no such page or file"
    if anchor and where in pages and anchor not in pages[where].page.anchors:
        return "no such anchor"
    return ""


def reached(pages: Dict[str, Elements]) -> Set[str]:
    """Return the pages to which links lead from the start page, itself among them."""
    found: Set[str] = set()
    waiting: List[str] = [START]
    while waiting:
        name = waiting.pop()
        if name in found or name not in pages:
            continue
        found.add(name)
        waiting += [place(name, target) for target in pages[name].page.targets if not is_elsewhere(target)]
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
