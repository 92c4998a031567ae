# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of links tell each link that leads nowhere, and none that leads somewhere."""

from __future__ import annotations

from pathlib import Path

import links
import pytest
import site_links

PAGE = """\
# First: `code` and *more*!

## Twice
## Twice

<a id="by-hand"></a>
![picture](images/a.svg)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a page, a picture and a folder."""
    root = tmp_path / "project"
    (root / "docs" / "images").mkdir(parents=True)
    (root / "docs" / "images" / "a.svg").touch()
    (root / "docs" / "first page.md").write_text(PAGE, encoding="utf-8")
    (tmp_path / "outside.md").touch()
    return root


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[a](docs/first%20page.md)", ""),
        ("[a](docs/first%20page.md#first-code-and-more)", ""),
        ("[a](docs/first%20page.md#twice-1)", ""),
        ("[a](docs/first%20page.md#by-hand)", ""),
        ("[a](docs/)", ""),
        ("[a](docs/pipelines.md)", "no such file or folder"),
        ("[a](#here)\n# Here", ""),
        ("[a](https://github.com/ansible/ansible)", ""),
        ("`[a](gone.md)`", ""),
        ("    [a](gone.md)", ""),
        ("[a](gone.md)", "no such file or folder"),
        ("| a |\n|---|\n| [a](gone.md) |", "no such file or folder"),
        ("![a](docs/images/gone.svg)", "no such file or folder"),
        ('<img src="gone.svg">', "no such file or folder"),
        ("[a][b]\n\n[b]: gone.md", "no such file or folder"),
        ("[a](docs/first%20page.md#twice-2)", "has no such heading"),
        ("[a](#gone)", "has no such heading"),
        ("[a](/docs/first%20page.md)", "begins with /"),
        ("[a](../outside.md)", "leads out of the project"),
        ("[a](docs/images/a.svg#x)", "anchors are known in Markdown only"),
        ("<https://gihtub.com/ansible>", "gihtub.com is not in KNOWN_HOSTS"),
        ("[a](http://github.com/)", "neither a path nor https"),
        ("[a](https:///x)", "neither a path nor https"),
    ],
)
def test_a_link_in_markdown(project: Path, text: str, problem: str) -> None:
    (project / "README.md").write_text(text, encoding="utf-8")
    found = list(links.check(project, ["README.md"]))
    assert [problem in one for one in found] == ([True] if problem else []), found


def test_a_project_without_pages_does_not_pass(tmp_path: Path) -> None:
    assert links.main([str(tmp_path)]) == 1


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="sub/page.html#here">a</a>', ""),
        ('<a href="sub/page.html#">a</a> <a href="https://gone.example/">a</a>', ""),
        ('<a href="sub/page.html">a</a><img src="data:image/png;base64,AA==">', ""),
        ('<a href="sub/page.html#gone">a</a>', "index.html: sub/page.html#gone: no such anchor"),
        ('<a href="sub/page.html">a</a><a href="gone.html">a</a>', "index.html: gone.html: no such page or file"),
        ('<a href="sub/page.html">a</a><a href="../x">a</a>', "index.html: ../x: no such page or file"),
        ('<a href="sub/page.html">a</a><script src="//cdn.example/x.js"></script>', "is loaded from elsewhere"),
        ('<a href="sub/page.html">a</a><link href="https://fonts.example/x.css">', "is loaded from elsewhere"),
        ("nothing", "sub/page.html: no link leads here from index.html"),
    ],
)
def test_a_link_in_the_site(tmp_path: Path, body: str, problem: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "index.html").write_text(body, encoding="utf-8")
    (tmp_path / "sub" / "page.html").write_text('<p id="here"><a href="../index.html">a</a>', encoding="utf-8")
    found = list(site_links.check(tmp_path, site_links.read_site(tmp_path)))
    assert [problem in one for one in found] == ([True] if problem else []), found
