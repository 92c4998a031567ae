# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is known about one direction of a path while it is searched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple

from .certainty import DOUBT, doubt
from .sizes import between
from .transport import Way


@dataclass
class Trial:
    """Tries of a size, mixed with controls of a size that passes, sent in the same way."""

    way: Way
    size: int
    control: int
    first: int
    """Number of the first probe: earlier ones of the same sizes do not count, for they were not mixed."""
    tries: int = 0
    controls: int = 0
    arrived: int = 0

    @property
    def doubt(self) -> float:
        """How likely chance alone would explain it, provided that no try has arrived."""
        return doubt(self.tries, self.controls, self.arrived)

    @property
    def decided(self) -> bool:
        """Whether the size certainly does not pass."""
        return self.doubt < DOUBT


@dataclass
class Side:
    """One direction. All sizes are those of IP packets in bytes.

    ceiling: the largest size that matters, the MTU of the own link. best: the largest that has arrived.
    too_big: the smallest that certainly does not pass, and why: a message or a fragmented answer (None for doubt), or
    a trial (its doubt). contradiction: a size arrived that was said not to pass.
    reported: mtu and router of the ICMP message that named the smallest size so far.
    """

    way: Way
    ceiling: int
    best: int = 0
    too_big: Optional[int] = None
    doubt: Optional[float] = None
    by_message: bool = False
    contradiction: bool = False
    reported: Optional[Tuple[int, str]] = None
    trial: Optional[Trial] = None
    fragments: int = 0
    """Bytes of the fragments that an answer came in."""
    nudges: int = 0
    """How often best + 1 was sent again in the hope for a message."""
    tries: Dict[int, int] = field(default_factory=dict)
    stuck: Optional[str] = None
    far_limit: Optional[int] = None
    """MTU of the far end's link, where it says so."""
    told: Dict[int, int] = field(default_factory=dict)
    """Size of a packet that a router called too big -> the smallest MTU that it named."""
    silent: Optional[int] = None
    """A size that certainly vanishes without a message, although there are messages about smaller ones."""
    unheard: bool = False
    """Whether nothing can show if a size gets a message."""
    fragments_prove: bool = True
    """Whether it is the path that makes fragments, not the sender by itself."""
    proofs: int = 0
    """How often it was tried to learn that."""

    @property
    def certain(self) -> bool:
        """Whether the path MTU is known to the byte."""
        if self.contradiction:
            return False
        return self.best >= self.ceiling or (self.too_big is not None and self.too_big == self.best + 1)

    @property
    def proven(self) -> bool:
        """False where all that limits the size is that larger packets come in fragments, whoever made them."""
        by_fragments = self.certain and self.best < self.ceiling and self.doubt is None and not self.by_message
        return self.fragments_prove or not by_fragments

    @property
    def was_reported(self) -> bool:
        """Whether a message named the path MTU, or was about the smallest packet that does not pass."""
        named = self.reported is not None and self.reported[0] == self.best
        return named or (self.doubt is None and self.by_message)

    @property
    def untold(self) -> Optional[int]:
        """The size at which a sender that follows the messages gets stuck, as far as is known; None: it arrives.

        It starts with what its link takes, and learns the path MTU only if each packet on its way down earns a message
        (RFC 1191 section 6.4): where the first ones vanish, messages about smaller ones do not help it.
        """
        if not self.certain or not self.was_reported or self.silent or self.unheard:
            return None
        size = self.ceiling
        while size > self.best:
            if size not in self.told:
                return size
            size = min(size - 1, self.told[size] or self.best)
        return None

    @property
    def over(self) -> bool:
        """Whether there is nothing more to find out."""
        return (self.certain and self.proven and self.untold is None) or self.stuck is not None or self.contradiction

    def arrived(self, size: int) -> None:
        """Note that a size came through. It contradicts an earlier message, and refutes an earlier trial."""
        if size <= self.best:
            return
        self.best = size
        self.nudges = 0
        if self.too_big is not None and self.too_big <= size:
            if self.doubt is None:
                self.contradiction = True
            self.too_big = self.doubt = None
        if self.trial is not None and self.trial.size <= size:
            self.trial = None

    def refused(self, size: int, by_message: bool) -> None:
        """Note that a size was said not to pass."""
        if size <= self.best:
            self.contradiction = True
        elif self.too_big is None or size < self.too_big or (size == self.too_big and self.doubt is not None):
            self.too_big, self.doubt, self.by_message = size, None, by_message

    def named(self, size: int, mtu: int, router: str) -> None:
        """Keep the message that names the smallest MTU; one that names none (RFC 792) only where there is no other.

        size: of the packet that it is about.
        """
        self.told[size] = min(mtu, self.told.get(size, mtu))
        if self.trial is not None and self.trial.size == size:
            self.trial = None
        if self.reported is None or (mtu and (not self.reported[0] or mtu < self.reported[0])):
            self.reported = (mtu, router)

    def decide(self) -> None:
        """Take over the result of a trial that is decided."""
        if self.trial is None or not self.trial.decided:
            return
        if self.certain:
            self.silent, self.trial = self.trial.size, None
        else:
            self.too_big, self.doubt = self.trial.size, self.trial.doubt
            self.by_message = False
            self.trial = None

    def gap(self, missing: Optional[int]) -> List[int]:
        """Return the sizes to try next; empty where only best + 1 is left to decide.

        missing: the smallest size above best of which nothing was heard, a hint and no more.
        """
        high = min(self.ceiling + 1, self.too_big or self.ceiling + 1)
        if self.fragments and self.best < self.fragments + 8 <= high:
            high = self.fragments + 8
        if high <= self.best + 1:
            return []
        named = self._named(high)
        if named:
            return named
        if missing is None or missing >= high:
            return [self.ceiling] if high > self.ceiling else between(self.best, high)
        return between(self.best, missing)

    def _named(self, high: int) -> List[int]:
        """Return what a message named and the size above it, unless they were tried."""
        if self.reported is None:
            return []
        mtu = self.reported[0]
        return [size for size in (mtu, mtu + 1) if self.best < size < high and not self.tries.get(size)]
