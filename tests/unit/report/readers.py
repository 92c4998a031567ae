# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each format as other programs read it: schemas and parsers that are not ours, but for the schema of JUnit XML."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any, Dict, List, Tuple

import html5lib
import junitparser
import xmlschema
from markdown_it import MarkdownIt
from markdown_it.token import Token
from prometheus_client.parser import text_fd_to_metric_families
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as SarifLog

JUNIT = xmlschema.XMLSchema(str(Path(__file__).resolve().parents[1] / "data" / "formats" / "junit.xsd"))
URI = re.compile(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+")
"""A relative path by RFC 3986, with nothing in it that has a meaning of its own."""
Labels = Tuple[Tuple[str, str], ...]


def junit(text: str) -> junitparser.JUnitXml:
    """Return the suites. Raises where the schema doesn't allow the text, or its totals are not those of its cases."""
    JUNIT.validate(text)
    suites = junitparser.JUnitXml.fromstring(text.encode("utf-8"))
    told = [(one.tests, one.failures, one.errors, one.skipped) for one in (suites, *suites)]
    for one in (*suites, suites):
        one.update_statistics()
    assert told == [(one.tests, one.failures, one.errors, one.skipped) for one in (suites, *suites)]
    return suites


def sarif(text: str) -> Dict[str, Any]:
    """Return the one run. Raises where the classes that are generated from the schema of SARIF refuse it.

    Those are of the last draft, which called the status of a suppression its state: that is looked at here.
    """
    content = json.loads(text)
    assert content["version"] == "2.1.0" and len(content["runs"]) == 1
    run: Dict[str, Any] = content["runs"][0]
    checked = json.loads(text)
    for result in checked["runs"][0]["results"]:
        for place in (*result["locations"], *result.get("relatedLocations", ())):
            assert URI.fullmatch(place["physicalLocation"]["artifactLocation"]["uri"])
        for suppression in result.get("suppressions", ()):
            assert suppression.pop("status") in ("accepted", "underReview", "rejected")
    SarifLog.model_validate(checked)
    return run


def prometheus(text: str) -> Dict[str, Dict[Labels, float]]:
    """Return the samples by metric and labels. Raises where the text cannot be parsed or names a sample twice."""
    text.encode("utf-8")
    found: Dict[str, Dict[Labels, float]] = {}
    for family in text_fd_to_metric_families(io.StringIO(text, newline="\n")):
        assert family.type == "gauge" and family.documentation and family.name not in found
        samples = found.setdefault(family.name, {})
        for sample in family.samples:
            labels = tuple(sorted(sample.labels.items()))
            assert sample.name == family.name and labels not in samples and sample.timestamp is None
            samples[labels] = sample.value
    return found


def json_lines(text: str) -> List[Dict[str, Any]]:
    """Return the objects, one a line."""
    assert text.endswith("\n")
    return [json.loads(line) for line in text[:-1].split("\n")]


def markdown(text: str) -> List[Token]:
    """Return the tokens of the text, with tables as GitHub has them. Raises where there is HTML in it."""
    text.encode("utf-8")
    tokens: List[Token] = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    inside = [child for token in tokens for child in token.children or ()]
    assert not [token for token in (*tokens, *inside) if token.type in ("html_block", "html_inline", "image")]
    return tokens


def shown(token: Token) -> str:
    """Return what a reader sees of a piece of Markdown."""
    return "".join(child.content for child in token.children or ())


def tables(tokens: List[Token]) -> List[List[List[str]]]:
    """Return the tables of a Markdown text as rows of cells, without their heads."""
    found: List[List[List[str]]] = []
    for before, token in zip(tokens, tokens[1:]):
        if before.type == "tbody_open":
            found.append([])
        if before.type == "tr_open" and found and token.type == "td_open":
            found[-1].append([])
        if before.type == "td_open":
            found[-1][-1].append(shown(token))
    return found


def page(text: str) -> Any:
    """Return the document of a page; what HTML does not allow is an error."""
    return html5lib.HTMLParser(strict=True).parse(text)
