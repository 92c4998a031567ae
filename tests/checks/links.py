# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks every link of the Markdown that people read on a code host: links.py [ROOT]

Files and anchors have to be there. Links to other places are not followed: their form is checked, and their host has to
be one of KNOWN_HOSTS, so that a slip in a name is seen. Needs markdown-it-py.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

PAGES = ("*.md", "docs/*.md", "roles/*/README.md", "molecule/**/README.md", "playbooks/*.md")
KNOWN_HOSTS = frozenset(
    {
        "access.redhat.com",
        "ansible.readthedocs.io",
        "datatracker.ietf.org",
        "docs.ansible.com",
        "docs.aws.amazon.com",
        "docs.cilium.io",
        "docs.docker.com",
        "docs.github.com",
        "docs.gitlab.com",
        "docs.k3s.io",
        "docs.kernel.org",
        "docs.rke2.io",
        "docs.tigera.io",
        "fasterdata.es.net",
        "git.kernel.org",
        "github.com",
        "grafana.com",
        "kubernetes.io",
        "learn.microsoft.com",
        "man7.org",
        "netfit.example",
        "nginx.org",
        "prometheus.io",
        "www.freedesktop.org",
        "www.kernel.org",
        "www.rfc-editor.org",
    }
)


@dataclass
class Page:
    """What a page links to, as it is written, and the anchors that can be linked to."""

    targets: List[str] = field(default_factory=list)
    anchors: Set[str] = field(default_factory=set)


class Elements(HTMLParser):
    """Collects links and anchors of HTML. loads: of these, what is loaded with the page."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.loads: List[str] = []

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        """Note what an element refers to, and by which names it can be referred to."""
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.page.anchors.add(values["id"])
        if tag == "a" and "name" in values:
            self.page.anchors.add(values["name"])
        found = [values[name] for name in ("href", "src") if name in values]
        self.page.targets += found
        if tag != "a":
            self.loads += found


def main(arguments: Sequence[str]) -> int:
    """Check a checkout. Returns 0 when every link leads somewhere."""
    root = Path(arguments[0] if arguments else ".").resolve()
    names = sorted({path.relative_to(root).as_posix() for pattern in PAGES for path in root.glob(pattern)})
    problems = list(check(root, names))
    print("\n".join([*problems, f"{len(names)} pages, {len(problems)} links that lead nowhere"]))
    return 1 if problems or not names else 0


def check(root: Path, names: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the links of the named files."""
    pages = {name: read_markdown((root / name).read_text(encoding="utf-8")) for name in names}
    for name in names:
        for target in pages[name].targets:
            problem = _external(target) if urlsplit(target).scheme else _internal(root, name, target, pages)
            if problem:
                yield f"{name}: {target}: {problem}"


def _external(target: str) -> str:
    """Return what is wrong with a link to somewhere else, or ""."""
    parts = urlsplit(target)
    if parts.scheme == "mailto":
        return "" if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", parts.path) else "no address"
    if parts.scheme != "https" or not parts.hostname or re.search(r"\s", target):
        return "neither a path nor https://host/..."
    return "" if parts.hostname in KNOWN_HOSTS else f"{parts.hostname} is not in KNOWN_HOSTS of tests/checks/links.py"


def _internal(root: Path, name: str, target: str, pages: Dict[str, Page]) -> str:
    """Return what is wrong with a link to a file, folder or anchor of the checkout, or ""."""
    path, _hash_sign, anchor = target.partition("#")
    if path.startswith("/"):
        return "begins with /, which means something else on each code host"
    wanted = (root / name).parent.joinpath(unquote(path)).resolve() if path else root / name
    if wanted != root and root not in wanted.parents:
        return "leads out of the project"
    relative = wanted.relative_to(root).as_posix()
    if not wanted.exists():
        return "no such file or folder"
    if not anchor:
        return ""
    if wanted.suffix != ".md":
        return "anchors are known in Markdown only"
    if relative not in pages:
        pages[relative] = read_markdown(wanted.read_text(encoding="utf-8"))
    return "" if unquote(anchor) in pages[relative].anchors else f"{relative} has no such heading"


def read_markdown(text: str) -> Page:
    """Return the links and anchors of a page as a code host shows it."""
    elements, headings = Elements(), Headings()
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            elements.page.anchors.add(headings.anchor(plain(tokens[number + 1])))
        for part in [token, *(token.children or [])]:
            if part.type in ("html_block", "html_inline"):
                elements.feed(part.content)
            for attribute in ("href", "src"):
                if part.type in ("link_open", "image") and part.attrGet(attribute) is not None:
                    elements.page.targets.append(str(part.attrGet(attribute)))
    return elements.page


def plain(inline: Token) -> str:
    """Return the text of a heading without its marks."""
    return "".join(part.content for part in inline.children or [] if part.type in ("text", "code_inline"))


class Headings:
    """Names headings as GitHub does: https://docs.github.com/en/get-started/writing-on-github, "Section links"."""

    def __init__(self) -> None:
        self.used: Dict[str, int] = {}

    def anchor(self, heading: str) -> str:
        """Return the anchor of the next heading of a page: one that was there already gets a number."""
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        count = self.used.get(slug, 0)
        self.used[slug] = count + 1
        return f"{slug}-{count}" if count else slug


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
