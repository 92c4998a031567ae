# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How sure a failure rate is, and whether two of them differ: pure arithmetic on counts."""

from __future__ import annotations

from math import ceil, exp, lgamma, log, sqrt
from typing import Optional, Sequence, Tuple

LARGE = 1e200
"""Beyond it a sum is scaled down, so that none overflows."""
NORMAL_95 = 1.959963984540054
"""The quantile of the standard normal distribution that leaves 2.5 % above it."""


def wilson_interval(failures: int, requests: int, quantile: float = NORMAL_95) -> Optional[Tuple[float, float]]:
    """Return the interval, 0 to 1, that holds the true failure rate with 95 % confidence; None without requests.

    Wilson's score interval without correction for continuity: E. B. Wilson, JASA 22 (1927), equation 1. It stays
    within 0 and 1, and is no single point where none or all have failed.
    """
    if not 0 <= failures <= requests:
        raise ValueError(f"{failures} failures of {requests} requests")
    if not requests:
        return None
    rate, square = failures / requests, quantile * quantile
    middle = (rate + square / (2 * requests)) / (1 + square / requests)
    spread = sqrt(rate * (1 - rate) / requests + square / (4 * requests * requests))
    half = quantile / (1 + square / requests) * spread
    low = 0.0 if failures == 0 else max(0.0, middle - half)
    return low, 1.0 if failures == requests else min(1.0, middle + half)


def chance_of_more(failures: int, requests: int, other_failures: int, other_requests: int) -> float:
    """Return how likely at least so many failures are among the first requests if both fail equally often.

    Fisher's exact test, one-sided (R. A. Fisher, JRSS 85 (1922)): the failures are dealt to all requests by chance, so
    that the first ones' share has the hypergeometric distribution.
    """
    if not (0 <= failures <= requests and 0 <= other_failures <= other_requests):
        raise ValueError("more failures than requests")
    failed, total = failures + other_failures, requests + other_requests
    first = max(failures, failed - other_requests)
    term, together, scale = 1.0, 0.0, 0.0
    for count in range(first, min(failed, requests) + 1):
        together += term
        if together > LARGE:
            term, together, scale = term / LARGE, together / LARGE, scale + log(LARGE)
        term *= (requests - count) * (failed - count) / ((count + 1) * (other_requests - failed + count + 1))
    logarithm = _ways(requests, first) + _ways(other_requests, failed - first) - _ways(total, failed)
    return min(1.0, exp(logarithm + scale + log(together)))


def _ways(number: int, chosen: int) -> float:
    """Return the logarithm of "number over chosen"."""
    return lgamma(number + 1) - lgamma(chosen + 1) - lgamma(number - chosen + 1)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least so many percent of the values do not exceed (nearest rank)."""
    if not ordered:
        raise ValueError("no values")
    return ordered[max(0, ceil(percent / 100 * len(ordered)) - 1)]
