# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.html in a real browser: its script and policy, accessibility, narrow screens, paper, and a thousand hosts."""

from __future__ import annotations

import html
import json
import os
import re
import struct
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any, Dict

import pytest

from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.page import render_page
from ansible_collections.netfit.cluster.tests.browser.conftest import DARK, Browser
from ansible_collections.netfit.cluster.tests.unit.report.pages import large_report, recorded, with_requests

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
ANSWER = re.compile(r'<pre id="answer">(.*?)</pre>', re.DOTALL)
LEAVE = """
const answer = (found) => {
  const place = document.createElement('pre');
  place.id = 'answer';
  place.textContent = JSON.stringify(found);
  document.body.append(place);
};
"""
PAGES = {
    "incident": lambda: render_page(recorded("incident")),
    "after": lambda: render_page(recorded("remediation-after"), recorded("remediation-before")),
    "requests": lambda: render_page(with_requests(recorded("incident"))),
    "hundred": lambda: render_page(large_report(100)),
}
LARGE = render_page(large_report(1000))


def driven(page: str, script: str) -> str:
    """Return the page with a script of the test's, which leaves what it found by answer(), and without its policy."""
    assert POLICY.search(page)
    return POLICY.sub("", page).replace("</body>", f"<script>{LEAVE}</script><script>{script}</script></body>")


def ask(browser: Browser, page: str, script: str, *switches: str) -> Any:
    found = ANSWER.search(browser.content(browser.file("driven.html", driven(page, script)), *switches))
    assert found is not None
    return json.loads(html.unescape(found[1]))


@pytest.mark.parametrize("name", PAGES)
def test_the_script_runs_under_the_policy_and_nothing_is_complained_of(browser: Browser, name: str) -> None:
    page = browser.file("report.html", PAGES[name]())
    assert browser.complaints(page) == []
    assert re.search(r'<form id="filters">', browser.content(page))


def test_a_changed_script_does_not_run(browser: Browser) -> None:
    page = browser.file("report.html", PAGES["incident"]().replace('"use strict";', '"use strict"; '))
    assert [line for line in browser.complaints(page) if "Content Security Policy" in line]
    assert re.search(r'<form id="filters" hidden', browser.content(page))


FILTER = """
const form = document.getElementById('filters');
const cards = [...document.querySelectorAll('article.finding')];
const shown = () => cards.filter((one) => one.checkVisibility()).map((one) => one.dataset.rule);
const set = (values) => {
  for (const name of ['label', 'rule', 'host']) form[name].value = values[name] || '';
  form.dispatchEvent(new Event('input'));
  return [shown(), document.getElementById('filtered').value];
};
answer({
  critical: set({label: 'critical'}),
  rule: set({rule: 'QUEUE-003'}),
  host: set({host: 'N3'}),
  none: set({host: 'zz'}),
  all: set({}),
});
"""


def test_findings_can_be_filtered(browser: Browser) -> None:
    found: Dict[str, Any] = ask(browser, PAGES["incident"](), FILTER)
    assert found["critical"] == [["MTU-001", "PATH-001"], "2 of 9 shown"]
    assert found["rule"] == [["QUEUE-003"], "1 of 9 shown"]
    assert found["host"] == [["QUEUE-001", "QUEUE-001"], "2 of 9 shown"]
    assert found["none"] == [[], "0 of 9 shown"]
    assert len(found["all"][0]) == 9


KEYS = """
const map = document.querySelector('.map');
const stops = [...map.querySelectorAll('td')].filter((cell) => cell.tabIndex === 0);
stops[0].focus();
const line = map.querySelector('.evidence');
const press = (key) => {
  document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
  return line.textContent;
};
answer({
  stops: stops.length,
  first: line.textContent,
  right: press('ArrowRight'),
  down: press('ArrowDown'),
  edge: press('ArrowDown'),
});
"""


def test_the_map_is_read_by_keyboard(browser: Browser) -> None:
    found = ask(browser, PAGES["incident"](), KEYS)
    assert found["stops"] == 1
    assert [found[name].split(":")[0] for name in ("first", "right", "down", "edge")] == [
        "n1 to n2",
        "n1 to n3",
        "n2 to n3",
        "n4 to n3",
    ]


AXE = """
addEventListener('load', async () => {
  for (const one of document.querySelectorAll('details')) one.open = true;
  const found = await axe.run({resultTypes: ['violations']});
  const faults = found.violations.map((one) => [one.id, one.impact, one.nodes[0].html]);
  answer({passes: found.passes.length, violations: faults});
});
"""


@pytest.mark.parametrize("switches", [(), (DARK,), ("--window-size=500,900",)], ids=["light", "dark", "narrow"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_fault(browser: Browser, name: str, switches: Any) -> None:
    check_with_axe(browser, PAGES[name](), *switches)


def test_axe_finds_no_fault_with_a_thousand_hosts(browser: Browser) -> None:
    check_with_axe(browser, LARGE)


def check_with_axe(browser: Browser, page: str, *switches: str) -> None:
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    found = ask(browser, page, f"{axe}</script><script>{AXE}", *switches)
    assert found["passes"] > 25
    assert [one for one in found["violations"] if one[1] in ("serious", "critical")] == []


def test_axe_would_find_one(browser: Browser) -> None:
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    page = PAGES["incident"]().replace("--soft:#4a5866", "--soft:#c5c5c5").replace("<label>Host ", "<label>")
    found = ask(browser, page, f"{axe}</script><script>{AXE}")
    assert {"color-contrast"} <= {one[0] for one in found["violations"]}


def test_a_telephone_needs_no_sideways_scrolling(browser: Browser) -> None:
    inner = driven(PAGES["after"](), "")
    measure = (
        "addEventListener('load',()=>parent.postMessage([innerWidth,document.documentElement.scrollWidth,"
        "document.querySelector('.picture.narrow').checkVisibility(),"
        "document.querySelector('.picture.wide').checkVisibility()],'*'))"
    )
    inner = inner.replace("<script></script>", f"<script>{measure}</script>")
    outer = (
        f'<!DOCTYPE html><html><body><iframe width="390" height="800" srcdoc="{html.escape(inner)}"></iframe>'
        f"<script>{LEAVE} addEventListener('message', (event) => answer(event.data))</script></body></html>"
    )
    found = ANSWER.search(browser.content(browser.file("outer.html", outer)))
    assert found is not None
    width, content, narrow, wide = json.loads(found[1])
    assert (width, narrow, wide) == (390, True, False) and content <= 390


def test_on_paper_the_evidence_is_there(browser: Browser) -> None:
    paper = browser.folder / "report.pdf"
    browser.run(browser.file("report.html", PAGES["incident"]()), f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    said = " ".join(
        subprocess.run(["pdftotext", str(paper), "-"], capture_output=True, text=True, check=True).stdout.split()
    )
    assert "3 of 4 requests (75 %) to port 30004 fail when they are large" in said
    assert "MTU of overlay flannel.1 (vxlan) on n2: 1450" in said and "A 1500-byte packet dies here" in said
    assert "net.core.somaxconn: 4096 on the host" in said and "black hole: larger packets vanish" in said
    assert "part of its name" not in said
    first = kept(browser, "report-print")
    subprocess.run(["pdftoppm", "-png", "-r", "60", "-l", "1", "-singlefile", str(paper), str(first)], check=True)
    width, height = struct.unpack(">II", first.with_suffix(".png").read_bytes()[16:24])
    assert height > width > 400


LOADED = """
addEventListener('load', () => setTimeout(() => {
  const [entry] = performance.getEntriesByType('navigation');
  answer({milliseconds: entry.loadEventEnd, elements: document.querySelectorAll('*').length});
}));
"""


def test_a_thousand_hosts_open_at_once(browser: Browser) -> None:
    """Under two seconds; the best of three tries, as the machine may have other things to do."""
    page = browser.file("driven.html", driven(LARGE, LOADED))
    times = []
    for _try in range(3):
        found = ANSWER.search(browser.run(page, "--timeout=20000", "--dump-dom").stdout)
        assert found is not None
        times.append(json.loads(found[1])["milliseconds"])
    assert 0 < min(times) < 2000


@pytest.mark.parametrize(
    ("name", "page", "switches"),
    [
        ("light", "incident", ("--window-size=1200,2400",)),
        ("dark", "incident", ("--window-size=1200,2400", DARK)),
        ("narrow", "incident", ("--window-size=500,2400",)),
        ("before-and-after", "after", ("--window-size=1200,2400",)),
        ("hundred", "hundred", ("--window-size=1200,4000",)),
        ("thousand", "thousand", ("--window-size=1200,4000",)),
    ],
)
def test_screenshots(browser: Browser, name: str, page: str, switches: Any) -> None:
    """NETFIT_SCREENSHOTS names a folder to keep them in, for people to look at."""
    picture = kept(browser, f"report-{name}.png")
    content = LARGE if page == "thousand" else PAGES[page]()
    browser.run(browser.file("report.html", content), f"--screenshot={picture}", *switches)
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    wanted = next(switch for switch in switches if switch.startswith("--window-size=")).partition("=")[2]
    assert f"{width},{height}" == wanted and picture.stat().st_size > 20_000


def kept(browser: Browser, name: str) -> Path:
    return Path(os.environ.get("NETFIT_SCREENSHOTS") or browser.folder) / name
