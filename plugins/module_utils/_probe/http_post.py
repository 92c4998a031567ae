# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The POST requests of tcp_path_info: on connections of their own, with a look at what TCP did meanwhile."""

from __future__ import annotations

from typing import Dict, Tuple

from .._model.http_result import Outcome
from .._model.path import HttpRequest
from .._model.url import Url
from .http_exchange import NO_ANSWER, Place, Request, exchange

OUTCOMES: Dict[Outcome, str] = {
    Outcome.ANSWERED: "answered",
    Outcome.TIMED_OUT: "timed out",
    Outcome.REFUSED: "refused",
}
"""In the words of an HttpRequest; every other one is "closed"."""


def post(family: int, address: Tuple[object, ...], url: Url, body_bytes: int, timeout: float) -> HttpRequest:
    """Send one POST and say what came of it. address: to connect to, whatever the URL's host is.

    timeout: seconds for all of it. With https the certificate is not checked: nothing secret is sent, and what is asked
    is whether the answer comes. No more of that is read than its head, and the connection is reset.
    """
    place = Place(family, address, url.host if url.secure else None)
    done = exchange(place, Request("POST", url.path, url.authority, body_bytes), timeout, whole=False, abort=True)
    silent = done.outcome is Outcome.NOT_CONNECTED and done.reason == NO_ANSWER
    return HttpRequest(
        body_bytes=body_bytes,
        outcome="timed out" if silent else OUTCOMES.get(done.outcome, "closed"),
        status=done.status,
        seconds=done.seconds,
        retransmits=done.info.retransmits if done.info else None,
        path_mtu=(done.info.path_mtu or None) if done.info else None,
    )
