# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text in Markdown means itself, wherever it stands."""

from __future__ import annotations

from typing import List

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.plugin_utils._report.markdown_text import code_block, prose, table
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.safe_text import one_line, writable
from ansible_collections.netfit.cluster.tests.unit.report import readers

MARKED = st.text(st.sampled_from("ab1 .)-+=#*_`~<>&|[]()!\\:/@\t\n"), max_size=20)


def kinds(text: str) -> List[str]:
    return [token.type for token in readers.markdown(text) if token.nesting != -1]


@pytest.mark.parametrize("text", ["- x", "+ x", "1. x", "12) y", "# x", "---", "===", "> x", "* x", "1.", "~~~", "```"])
def test_what_would_begin_something_at_the_start_of_a_line_does_not(text: str) -> None:
    tokens = readers.markdown(prose(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert readers.shown(tokens[1]) == text


@given(MARKED)
@example("\\")
@example("a_b_c __x__ _y_")
@example("&lt;b&gt;")
def test_a_paragraph_and_an_entry_of_a_list_show_the_text(text: str) -> None:
    wanted = one_line(text)
    for before in ("", "- ", "- **label**: ", "word\n"):
        tokens = readers.markdown(before + prose(text) + "\n")
        shown = "\n".join(readers.shown(token) for token in tokens if token.type == "inline")
        plain = before.replace("- ", "").replace("**", "").replace("\n", "")
        assert shown.strip() == (plain + wanted).strip()
        assert kinds(before + prose(text)).count("list_item_open") == before.startswith("- ")


@given(st.lists(st.lists(MARKED, min_size=2, max_size=2), max_size=3))
def test_a_table_has_the_cells_that_it_was_given(rows: List[List[str]]) -> None:
    tokens = readers.markdown("\n".join(table(("a", "b"), rows)))
    assert readers.tables(tokens) == ([[[one_line(cell) for cell in row] for row in rows]] if rows else [])


@given(st.lists(MARKED, min_size=1, max_size=3))
@example(["```"])
@example(["echo ````", "~~~"])
def test_a_block_of_commands_ends_where_it_should(lines: List[str]) -> None:
    tokens = readers.markdown("\n".join(code_block(lines)))
    assert [token.type for token in tokens] == ["fence"]
    assert tokens[0].content == "".join(writable(line).replace("\n", " ") + "\n" for line in lines)


def test_names_of_kernel_parameters_stay_readable() -> None:
    assert prose("net.ipv4.tcp_rmem: 4096 131072") == "net.ipv4.tcp_rmem: 4096 131072"
