# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which methods are tried for a target, in which order, and how a transport for each is made."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from .._model.path import Method
from .icmp4 import Icmp4
from .icmp6 import Icmp6
from .targets import BadOption, Wanted
from .transport import Target, Transport
from .udp import open_udp


@dataclass(frozen=True)
class Needs:
    """What some transports need beside their targets. token: of the responders."""

    token: Optional[str] = None


Maker = Callable[[Mapping[int, Target], Needs], Transport]


def _icmp4(targets: Mapping[int, Target], _needs: Needs) -> Transport:
    return Icmp4(targets)


def _udp4(targets: Mapping[int, Target], needs: Needs) -> Transport:
    return open_udp(socket.AF_INET, targets, (needs.token or "").encode())


def _udp6(targets: Mapping[int, Target], needs: Needs) -> Transport:
    return open_udp(socket.AF_INET6, targets, (needs.token or "").encode())


def _icmp6(targets: Mapping[int, Target], _needs: Needs) -> Transport:
    return Icmp6(targets)


MAKERS: Dict[Tuple[Method, str], Maker] = {
    (Method.ICMP, "ipv4"): _icmp4,
    (Method.UDP, "ipv4"): _udp4,
    (Method.UDP, "ipv6"): _udp6,
    (Method.ICMP, "ipv6"): _icmp6,
}
"""By method and family. A maker is called in the network namespace; it may raise OSError."""


def methods_for(wanted: Wanted, token: Optional[str]) -> List[Method]:
    """Return what is tried, in this order, until something answers. Never empty."""
    if wanted.method is not Method.AUTO:
        return [wanted.method]
    methods = [Method.UDP] if wanted.responder_port is not None and token else []
    methods.append(Method.ICMP)
    if wanted.port is not None:
        methods.append(Method.TCP)
    return methods


def check_responder(place: str, wanted: Wanted, token: Optional[str]) -> None:
    """Raise BadOption where UDP is asked for, and what it takes is not given. place: of the target, in words."""
    if wanted.method is Method.UDP and (wanted.responder_port is None or not token):
        missing = "token" if wanted.responder_port is not None else "responder_port"
        raise BadOption(
            f"{place}: method is udp, and {missing} is missing; path_mtu_responder at the target returns it"
        )
