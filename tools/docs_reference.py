# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference in the site: playbooks from the comments at their top, roles, and what antsibull-docs makes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Callable, Dict, List, Tuple

from docs_sources import SourceError, Sources, toctree

COLLECTION = "netfit.cluster"
KINDS = {"modules": ("Modules", "module"), "filters": ("Filters", "filter")}
"""Page of the reference -> its title, and the last word of the names of antsibull-docs' pages."""
DEFINED = re.compile(r"^(?P<indent> *)(?P<names>[a-z][\w.]*(?:, [a-z][\w.]*)*)(?:  +| +$)(?P<text>.*)$")
COMMAND = re.compile(r"^ {2,}(?P<command>ansible-playbook .*)$")


def write_reference(sources: Sources) -> None:
    """Write the pages of playbooks, roles, modules and filters. antsibull-docs' pages are in "reference" already."""
    _write_playbooks(sources)
    _write_roles(sources)
    for page, (title, kind) in KINDS.items():
        pages = {path: _retitle(path) for path in sorted((sources.target / "reference").glob(f"*_{kind}.rst"))}
        rows = [f"| [{name}]({path.name}) | {escape(text)} |" for path, (name, text) in pages.items()]
        names = [f"{name} <{path.stem}>" for path, (name, _text) in pages.items()]
        text = "\n".join(
            [f"# {title}", "", f"| {kind} | what it does |", "|---|---|", *rows, "", toctree(names, hidden=True)]
        )
        sources.write(f"reference/{page}", text + (FOR_MODULES if kind == "module" else ""))
    for unlisted in ("environment_variables", "index"):
        (sources.target / "reference" / f"{unlisted}.rst").unlink()


def _retitle(page: Path) -> Tuple[str, str]:
    """Make the title of antsibull-docs' page short, its description a paragraph, and drop its table of contents.

    The theme has one beside every page. Returns the short name and the description. Raises SourceError.
    """
    text = page.read_text(encoding="utf-8")
    title = re.search(rf"^({re.escape(COLLECTION)}\.(\w+)) \w+ -- (.*)\n\++\n", text, re.MULTILINE)
    contents = re.search(r"^\.\. contents::\n   :local:\n   :depth: \d\n", text, re.MULTILINE)
    if title is None or contents is None:
        raise SourceError(f"{page.name} is not of the form that was expected of antsibull-docs")
    name = title[1]
    head = f"{name}\n{'+' * len(name)}\n\n.. rst-class:: described\n\n{title[3]}\n"
    page.write_text(text.replace(title[0], head).replace(contents[0], ""), encoding="utf-8")
    return title[2], title[3]


FOR_MODULES = """
(common_return_values)=
## What every module returns

`changed`, and `failed` with `msg` where it failed; the others are on each module's own page.

(action_plugins)=
## Modules that have an action plugin

Their work is done on the controller, or starts there: a guard has to come through by a fresh connection, a report is
written on the machine that runs the playbook. They are used as any module is.
"""


def _write_playbooks(sources: Sources) -> None:
    names = []
    for path in sorted((sources.root / "playbooks").glob("*.yml")):
        names.append(path.stem)
        sources.write(f"playbooks/{path.stem}", playbook_page(path.stem, path.read_text(encoding="utf-8")))
    text = f"All are run as `ansible-playbook {COLLECTION}.NAME -i hosts.ini`.\n"
    sources.write("playbooks/index", f"# Playbooks\n\n{text}\n{toctree(names)}")


def _write_roles(sources: Sources) -> None:
    names = []
    for path in sorted((sources.root / "roles").iterdir()):
        variables = f"../reference/{path.name}_role"
        if not (sources.target / "reference" / f"{path.name}_role.rst").exists():
            raise SourceError(f"the role {path.name} has no documentation: see its meta/argument_specs.yml")
        _retitle(sources.target / "reference" / f"{path.name}_role.rst")
        below = toctree([f"Variables <{variables}>"], hidden=True)
        more = f"\n## All variables\n\nare on [a page of their own]({variables}.rst).\n\n{below}"
        sources.write_page(f"roles/{path.name}/README.md", more)
        names.append(path.name)
    sources.write("roles/index", f"# Roles\n\n{toctree(names)}")


def playbook_page(name: str, text: str) -> str:
    """Return the page of a playbook as Markdown: its leading comment, with lists of variables and tags as tables."""
    return f"# {COLLECTION}.{name}\n\n" + "\n\n".join(_blocks(leading_comment(text))) + "\n"


def leading_comment(text: str) -> List[str]:
    """Return the lines of the first comment, without its marks, after the licence."""
    lines: List[str] = []
    for line in text.splitlines()[1:]:
        if not line.startswith("#"):
            break
        lines.append(line[2:].rstrip())
    return lines[lines.index("") + 1 :] if "" in lines else []


def _blocks(lines: List[str]) -> List[str]:
    """Return tables, code and paragraphs in their order."""
    blocks: List[Tuple[str, List[str]]] = []
    for line in lines:
        kind = _kind(line, blocks[-1] if blocks else ("", []))
        if kind == "more":
            blocks[-1][1][-1] += f" {line.strip()}"
        elif blocks and blocks[-1][0] == kind:
            blocks[-1][1].append(line)
        else:
            blocks.append((kind, [line]))
    makers: Dict[str, Callable[[List[str]], str]] = {"table": _table, "code": _code, "text": _text}
    return [makers[kind](content) for kind, content in blocks if kind in makers]


def _kind(line: str, last: Tuple[str, List[str]]) -> str:
    """Say what a line is: of a table, of code, of text, blank, or "more" of a table's last row."""
    if not line:
        return "blank"
    if COMMAND.match(line):
        return "code"
    if last[0] == "table" and line.startswith("  ") and not _starts_row(line, last[1][0]):
        return "more"
    return "table" if DEFINED.match(line) else "text"


def _starts_row(line: str, first: str) -> bool:
    """Tell whether a line is as far to the left as the first row of its table, and so no continuation."""
    return len(line) - len(line.lstrip()) <= len(first) - len(first.lstrip()) and DEFINED.match(line) is not None


def _table(rows: List[str]) -> str:
    found = [match for match in map(DEFINED.match, rows) if match]
    cells = [
        f"| {', '.join(f'`{name}`' for name in match['names'].split(', '))} | {escape(match['text'])} |"
        for match in found
    ]
    return "\n".join(["| name | meaning |", "|---|---|", *cells])


def _text(lines: List[str]) -> str:
    return "\n".join(map(escape, lines))


def _code(lines: List[str]) -> str:
    return "\n".join(["```sh", *(line.strip() for line in lines), "```"])


def escape(text: str) -> str:
    """Return text as Markdown that shows it as it is, with names of variables and files as code."""
    text = re.sub(r"([\\`*<>\[\]{}|#])", r"\\\1", text)
    return re.sub(r"(?<![\w/.-])(netfit_\w+|netfit\.cluster\.\w+|[\w.-]+/[\w./-]*|\w+\.(?:json|yml|md))", r"`\1`", text)


def missing_pages(root: Path, site: Path) -> Dict[str, str]:
    """Return what of the collection has no page in the finished site, and the page that it lacks."""
    wanted = {}
    for folder, kind in (("modules", "module"), ("filter", "filter")):
        for path in sorted((root / "plugins" / folder).glob("*.py")):
            wanted[f"{kind} {path.stem}"] = f"reference/{path.stem}_{kind}.html"
    for path in sorted((root / "roles").iterdir()):
        wanted[f"role {path.name}"] = f"roles/{path.name}.html"
        wanted[f"variables of role {path.name}"] = f"reference/{path.name}_role.html"
    for path in sorted((root / "playbooks").glob("*.yml")):
        wanted[f"playbook {path.stem}"] = f"playbooks/{path.stem}.html"
    for path in sorted((root / "docs").glob("*.md")):
        wanted[f"docs/{path.name}"] = f"{path.stem}.html"
    return {what: page for what, page in wanted.items() if not (site / page).is_file()}
