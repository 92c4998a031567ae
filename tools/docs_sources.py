# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the checkout's Markdown to that of the site: the same pages, with links that lead to pages of the site.

docs/index.md is the start page, and its lists are the site's navigation: what is in none of them is not in the site.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List, Sequence, Tuple

INDEX = "docs/index.md"
NAVIGATION = "## To read from start to end"
FOLDERS = {
    "playbooks": "playbooks/index",
    "roles": "roles/index",
    "plugins/modules": "reference/modules",
    "plugins/filter": "reference/filters",
}
"""Folder that a link may lead to -> page of the site that stands for it."""
PAGES = {"README.md": "index", "CHANGELOG.md": "changelog", "molecule/lab/README.md": "lab"}
LINK = re.compile(r"(?<!\\)\]\((?P<target>[^()\s]+)\)")
CODE = re.compile(r"^( {4}|\t)|^\s*(`{3,}|~{3,})")
ENTRY = re.compile(r"^- \[(?P<title>[^\]]+)\]\((?P<target>[^)]+)\)")


class SourceError(Exception):
    """Something in the documentation's sources that the site cannot be made of; the message says where and what."""


@dataclass(frozen=True)
class Part:
    """A headline of the navigation. entries: path of each page from the root of the checkout, and how it is called."""

    title: str
    entries: Tuple[Tuple[str, str], ...]


def read_navigation(text: str) -> List[Part]:
    """Return the parts that docs/index.md lists. Raises SourceError where it has none."""
    _before, found, rest = text.partition(f"\n{NAVIGATION}\n")
    parts = []
    for section in re.split(r"^### ", rest, flags=re.MULTILINE)[1:]:
        title, _newline, body = section.partition("\n")
        found_entries = filter(None, map(ENTRY.match, body.splitlines()))
        entries = tuple((resolve(INDEX, entry["target"])[0], entry["title"]) for entry in found_entries)
        parts.append(Part(title.strip(), entries))
    if not found or not parts:
        raise SourceError(f"{INDEX} has no parts under {NAVIGATION!r}")
    return parts


def resolve(source: str, target: str) -> Tuple[str, str]:
    """Return the path from the root that a relative link means, and "#anchor" or "". source: the file that has it."""
    path, hash_sign, anchor = target.partition("#")
    whole = posixpath.normpath(posixpath.join(posixpath.dirname(source), path)) if path else source
    return whole, hash_sign + anchor


def page_of(path: str) -> str:
    """Return the page of the site, without a suffix, that is made of a file or folder; "" where none is."""
    if path in FOLDERS:
        return FOLDERS[path]
    if path in PAGES:
        return PAGES[path]
    role = re.fullmatch(r"roles/([^/]+)/README\.md", path)
    if role:
        return f"roles/{role[1]}"
    playbook = re.fullmatch(r"playbooks/([^/]+)\.yml", path)
    if playbook:
        return f"playbooks/{playbook[1]}"
    guide = re.fullmatch(r"docs/([^/]+)\.md", path)
    return guide[1] if guide else ""


def for_site(text: str, source: str, attach: Callable[[str], None]) -> str:
    """Return a page's Markdown with its links as they are in the site. source: its path from the root.

    attach: is told each other file that a link leads to, which the site then offers to be downloaded.
    """
    here = posixpath.dirname(page_of(source))

    def rewritten(match: re.Match[str]) -> str:
        target = match["target"]
        if re.match(r"[a-z][a-z0-9+.-]*:|#", target):
            return match[0]
        path, anchor = resolve(source, target)
        page = page_of(path)
        if not page:
            attach(path)
        return f"]({posixpath.relpath(f'{page}.md' if page else f'files/{path}', here or '.')}{anchor})"

    return "\n".join(LINK.sub(rewritten, line) if prose else line for line, prose in _with_prose(text)) + "\n"


def _with_prose(text: str) -> List[Tuple[str, bool]]:
    """Return each line, and whether it is prose rather than code."""
    lines, fence = [], ""
    for line in text.rstrip("\n").split("\n"):
        mark = CODE.match(line)
        if fence:
            lines.append((line, False))
            fence = "" if line.strip() == fence else fence
        else:
            lines.append((line, mark is None))
            fence = mark[2] if mark and mark[2] else ""
    return lines


def start_page(text: str, parts: Sequence[Part]) -> str:
    """Return docs/index.md with the navigation as Sphinx wants it."""
    kept = text.splitlines()
    for part in parts:
        pages = [f"{title} <{page_of(path)}>" for path, title in part.entries]
        kept += ["", "```{toctree}", ":hidden:", f":caption: {part.title}", "", *pages, "```"]
    return "\n".join(kept) + "\n"


def toctree(pages: Sequence[str], hidden: bool = False) -> str:
    """Return a list of pages by their titles, which also puts them below this one in the navigation."""
    options = [":hidden:"] if hidden else [":maxdepth: 1"]
    return "\n".join(["```{toctree}", *options, "", *pages, "```"]) + "\n"


class Sources:
    """The folder that Sphinx reads. root: the checkout. target: the folder."""

    def __init__(self, root: Path, target: Path) -> None:
        self.root, self.target = root, target
        self.parts = read_navigation((root / INDEX).read_text(encoding="utf-8"))

    def write_guides(self) -> None:
        """Write the start page, every page that its lists name but those of FOLDERS, and what they link to."""
        text = (self.root / INDEX).read_text(encoding="utf-8")
        self.write("index", for_site(start_page(text, self.parts), INDEX, self._attach))
        for part in self.parts:
            for path, _title in part.entries:
                if path not in FOLDERS:
                    self.write_page(path)

    def write_page(self, path: str, more: str = "") -> None:
        """Write one file of the checkout as a page. more: Markdown that is put at its end."""
        source = self.root / path
        if not source.is_file() or not page_of(path):
            raise SourceError(f"{INDEX} lists {path}, which is no page")
        self.write(page_of(path), for_site(source.read_text(encoding="utf-8"), path, self._attach) + more)

    def write(self, page: str, text: str) -> None:
        """Write the Markdown of a page."""
        target = self.target / f"{page}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def _attach(self, path: str) -> None:
        source, target = self.root / path, self.target / "files" / path
        if not source.is_file():
            raise SourceError(f"a page links to {path}, which is no file of the project and no page of the site")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
