# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Values of kernel parameters: numbers, vectors of numbers, or words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Callable, List, Optional, Tuple, Union

_C_NUMBER = re.compile(r"(-?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")

SysctlInput = Union[str, int, List[int], List[str], Tuple[int, ...]]


class Comparison(Enum):
    """How a value is held against the policy."""

    AT_LEAST = "minimum"
    AT_MOST = "maximum"
    EXACT = "exact"


@dataclass(frozen=True)
class SysctlValue:
    """A value as the kernel prints it. numbers: its elements, None where it is words ("cubic")."""

    text: str
    numbers: Optional[Tuple[int, ...]]

    @classmethod
    def parse(cls, value: SysctlInput) -> SysctlValue:
        """Parse what /proc/sys shows or a policy says: "4096", 4096, "4096 131072 6291456", [4096, 131072].

        Elements are separated by blanks; hexadecimal is understood (0x1f).
        Raises ValueError for booleans and for an empty value: neither is one for a kernel parameter.
        """
        parts = value if isinstance(value, (list, tuple)) else str(value).split()
        if isinstance(value, bool) or any(isinstance(part, bool) for part in parts):
            raise ValueError("a boolean is no value of a kernel parameter: write 0 or 1")
        words = [str(part) for part in parts]
        if not words:
            raise ValueError("empty value")
        try:
            return cls(" ".join(words), tuple(int(word, 0) if word[:2] == "0x" else int(word) for word in words))
        except ValueError:
            return cls(" ".join(words), None)

    def satisfies(self, comparison: Comparison, wanted: SysctlValue) -> bool:
        """Tell whether this value meets the wanted one, element by element.

        A wanted vector of one element is held against the first element. Words only compare as exact.
        Raises ValueError where the two cannot be compared (words against numbers, fewer elements than wanted).
        """
        if comparison is Comparison.EXACT and (self.numbers is None or wanted.numbers is None):
            return self.text == wanted.text
        if self.numbers is None or wanted.numbers is None:
            raise ValueError(f"cannot compare {self.text!r} with {wanted.text!r}: not numbers")
        if len(self.numbers) < len(wanted.numbers):
            raise ValueError(f"cannot compare {self.text!r} with {wanted.text!r}: it has fewer elements")
        pairs = list(zip(self.numbers, wanted.numbers))
        if comparison is Comparison.AT_LEAST:
            return all(mine >= theirs for mine, theirs in pairs)
        if comparison is Comparison.AT_MOST:
            return all(mine <= theirs for mine, theirs in pairs)
        return self.numbers == wanted.numbers

    @property
    def canonical(self) -> str:
        """The value as the kernel prints it: decimal numbers, single blanks."""
        return self.text if self.numbers is None else " ".join(str(number) for number in self.numbers)

    def raised_to(self, wanted: SysctlValue) -> str:
        """Return this value with each element raised to at least the wanted one; nothing is ever lowered.

        Raises ValueError where either is no number.
        """
        return self._moved_to(wanted, max)

    def lowered_to(self, wanted: SysctlValue) -> str:
        """Return this value with each element lowered to at most the wanted one; nothing is ever raised.

        Raises ValueError where either is no number.
        """
        return self._moved_to(wanted, min)

    def _moved_to(self, wanted: SysctlValue, better: Callable[[int, int], int]) -> str:
        if self.numbers is None or wanted.numbers is None:
            raise ValueError(f"cannot change {self.text!r} to {wanted.text!r}: not numbers")
        moved = [
            better(mine, wanted.numbers[position]) if position < len(wanted.numbers) else mine
            for position, mine in enumerate(self.numbers)
        ]
        return " ".join(str(number) for number in moved)


def kernel_numbers(text: str) -> Tuple[int, ...]:
    """Return the numbers that the kernel takes from what is written to a parameter; none where it refuses the first.

    It reads as C does (010 is 8), and stops without a word at what follows the numbers that it needs, "45 # why" among
    them; here that is at the first word that is none. Source: Linux kernel/sysctl.c proc_get_long.
    """
    numbers: List[int] = []
    for word in text.split():
        match = _C_NUMBER.fullmatch(word)
        if match is None:
            break
        digits = match.group(2)
        base = 16 if digits[:2].lower() == "0x" else 8 if digits[0] == "0" else 10
        numbers.append(int(digits, base) * (-1 if match.group(1) else 1))
    return tuple(numbers)
