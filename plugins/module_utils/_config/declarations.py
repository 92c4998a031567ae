# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the readers of all stacks fill: declared MTUs, and problems in the words of a person."""

from __future__ import annotations

import ipaddress
import re
from typing import List, Optional

from .._model.declared import DeclaredMtu, MtuMeaning
from .._model.fact import Source
from .json_text import JsonError, JsonNode, Scalar, parse_json
from .reading import FileReader

# IFLA_MTU is an unsigned 32-bit number (linux/if_link.h).
_LARGEST = 2**32 - 1
_DECIMAL = re.compile(r"[+-]?[0-9]{1,20}\Z")


class Declarations(FileReader):
    """Collects declared MTUs and problems of the host whose file system is at ``root``."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.mtus: List[DeclaredMtu] = []

    def json(self, path: str, subject: str) -> Optional[JsonNode]:
        """Return the object in a JSON file, None where there is none or, with a problem noted, it is no such file."""
        text = self.text(path, subject)
        if text is None:
            return None
        try:
            node = parse_json(text)
        except JsonError as error:
            self.problem(subject, f"not valid JSON: {error}", path)
            return None
        if node.kind != "object":
            self.problem(subject, "the JSON text is no object", path)
            return None
        return node

    def declare(
        self,
        stack: str,
        value: Scalar,
        meaning: MtuMeaning,
        source: Source,
        *,
        subject: str,
        as_text: bool = False,
        link: Optional[str] = None,
        network: Optional[str] = None,
        name: Optional[str] = None,
        active: bool = True,
    ) -> bool:
        """Add a declared MTU; tell whether the file declares one (absent, null and 0 mean "found by the stack").

        value: as in the file. as_text: the stack wants a decimal number in a string; without it only a JSON integer
        will do. A value that the stack itself would refuse becomes a problem.
        """
        number = value
        if as_text and isinstance(value, str) and _DECIMAL.match(value.strip()):
            number = int(value)
        if number is None:
            return False
        where = f"line {source.line}: " if source.line else ""
        if isinstance(number, bool) or not isinstance(number, int) or isinstance(value, str) != as_text:
            wanted = "a decimal number in quotes" if as_text else "a whole number"
            self.problem(subject, f"{where}{source.key} is {_shown(value)}, expected {wanted}", source.file)
            return False
        if not 0 <= number <= _LARGEST:
            self.problem(subject, f"{where}{source.key} is {_shown(value)}, which is no MTU", source.file)
            return False
        if number == 0:
            return False
        self.mtus.append(DeclaredMtu(stack, number, meaning, source, link, network, name, active))
        return True


def network_of(text: Optional[str]) -> Optional[str]:
    """Return an address range in the form that routes have (host bits cleared), None where the text is none."""
    if not text:
        return None
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        return None


def _shown(value: Scalar) -> str:
    """Return a value as a message shows it: one line, not too long."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."
