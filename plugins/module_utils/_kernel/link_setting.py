# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The MTU of one link of the calling thread's network namespace.

Source: netdevice(7) SIOCGIFMTU, SIOCSIFMTU; net/core/dev.c dev_validate_mtu. Setting the MTU that a link has already
does nothing at all, not even to a bridge that is to keep it (net/bridge/br_device.c br_change_mtu is not called).
"""

from __future__ import annotations

import errno
import fcntl
import socket
import struct

SIOCGIFMTU = 0x8921
SIOCSIFMTU = 0x8922
IFNAMSIZ = 16
_REQUEST = struct.Struct("=16si20x")
"""struct ifreq (linux/if.h): 40 bytes on 64-bit machines, of which an MTU needs four; on others it is shorter."""


def read_mtu(name: str) -> int:
    """Return the MTU of a link in bytes. Raises OSError: ENODEV where there is none of that name."""
    return int(_REQUEST.unpack(_ask(SIOCGIFMTU, name, 0))[1])


def set_mtu(name: str, mtu: int) -> None:
    """Set the MTU of a link in bytes.

    Raises OSError: ENODEV, EPERM, EINVAL where the kernel finds it too small or too large for this link.
    """
    _ask(SIOCSIFMTU, name, mtu)


def _ask(request: int, name: str, mtu: int) -> bytes:
    encoded = name.encode("utf-8", "surrogateescape")
    if not 0 < len(encoded) < IFNAMSIZ:
        raise OSError(errno.ENODEV, f"{name!r} is no name of a link")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
        return fcntl.ioctl(one, request, _REQUEST.pack(encoded, mtu))
