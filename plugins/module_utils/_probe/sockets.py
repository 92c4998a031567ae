# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the raw sockets of all families have in common: large buffers, and a filter for what is ours."""

from __future__ import annotations

import ctypes
import socket
import struct

BUFFER_BYTES = 8 << 20
SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_ATTACH_FILTER = 32, 33, 26
INSTRUCTION = struct.Struct("=HBBI")
"""struct sock_filter: code, jump if true, jump if false, value."""
LOAD_HALF, JUMP_EQUAL, RETURN = 0x28, 0x15, 0x06
TARGET_PORT_OFFSET = 2


def ask_for_buffer(one: socket.socket, forced: int, plain: int) -> None:
    """Ask for a large buffer: past the limit of net.core.rmem_max where the right is there, else up to it."""
    try:
        one.setsockopt(socket.SOL_SOCKET, forced, BUFFER_BYTES)
    except OSError:
        one.setsockopt(socket.SOL_SOCKET, plain, BUFFER_BYTES)


def accept_only_port(one: socket.socket, port: int) -> None:
    """Let the kernel drop what goes to other ports: a raw IPv6 socket for TCP would get all that the host receives.

    Source: Documentation/networking/filter.rst; the content of such a socket begins with the transport header.
    """
    program = b"".join(
        (
            INSTRUCTION.pack(LOAD_HALF, 0, 0, TARGET_PORT_OFFSET),
            INSTRUCTION.pack(JUMP_EQUAL, 0, 1, port),
            INSTRUCTION.pack(RETURN, 0, 0, 0xFFFF),
            INSTRUCTION.pack(RETURN, 0, 0, 0),
        )
    )
    instructions = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // INSTRUCTION.size, ctypes.addressof(instructions))
    one.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, head)
