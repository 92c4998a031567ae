# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uploads of several sizes, sent for real, and which of them failed.

python -m netfit_lab.uploads http://198.18.7.5/ --per-size 8
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
import urllib.parse
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

SIZES = (100, 1000, 1300, 3000, 20_000, 200_000)
"""Bytes of body. A request with 1300 fits into one packet of an overlay of 1450, headers included; 3000 does not."""
_TIMEOUT = 30.0
"""Seconds: longer than a load balancer's patience, so that the answer is its own."""
_GOOD = "200"


@dataclass(frozen=True)
class SizeResult:
    """What became of the requests of one size. outcomes: HTTP status, or the error's name, to how often. Seconds."""

    body_bytes: int
    requests: int
    outcomes: dict[str, int]
    slowest_seconds: float

    @property
    def failures(self) -> int:
        """How many did not get a 200."""
        return self.requests - self.outcomes.get(_GOOD, 0)

    @property
    def failed_percent(self) -> float:
        """The share that failed."""
        return 100 * self.failures / self.requests


def send_all(url: str, sizes: Sequence[int], per_size: int, at_once: int) -> list[SizeResult]:
    """Send per_size requests of each size, at most at_once at a time, and one size after the other.

    Each is a new connection. With a multiple of the number of nodes per size, round robin gives every node the same.
    """
    results = []
    with ThreadPoolExecutor(at_once) as pool:
        for size in sizes:
            begun = time.monotonic()
            outcomes = Counter(pool.map(lambda _, size=size: send(url, size), range(per_size)))
            results.append(SizeResult(size, per_size, dict(outcomes), round(time.monotonic() - begun, 1)))
    return results


def send(url: str, size: int) -> str:
    """POST a body of this many bytes; return the status of the answer, or the name of the error."""
    place = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port or 80, timeout=_TIMEOUT)
    try:
        # Nothing that is not needed: how many bytes of body fit into one packet depends on the headers.
        connection.putrequest("POST", place.path or "/", skip_accept_encoding=True)
        connection.putheader("Connection", "close")
        connection.putheader("Content-Length", str(size))
        connection.endheaders(b"x" * size)
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


def as_table(results: Sequence[SizeResult]) -> str:
    """Return the results for a person."""
    lines = ["  body bytes  requests  failed     %  answers"]
    for result in results:
        answers = ", ".join(f"{count} x {name}" for name, count in sorted(result.outcomes.items()))
        counts = f"  {result.body_bytes:>10}  {result.requests:>8}  {result.failures:>6}"
        lines.append(f"{counts}  {result.failed_percent:>4.0f}  {answers}")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Send, print, and return 0: that requests fail is a result here, not an error."""
    parser = argparse.ArgumentParser(prog="uploads", description="POST bodies of several sizes and count failures.")
    parser.add_argument("url")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="bytes of body")
    parser.add_argument("--per-size", type=int, default=8, help="requests of each size (default: 8)")
    parser.add_argument("--at-once", type=int, default=8, help="requests at a time (default: 8)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    results = send_all(options.url, options.sizes, options.per_size, options.at_once)
    print(json.dumps([asdict(result) for result in results]) if options.json else as_table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
