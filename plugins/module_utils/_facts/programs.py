# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a running process tells about which server it is: names, command line, and for a JVM the jars that it has open.

Source: for the end of an archive APPNOTE.TXT of PKWARE, sections 4.3.12 and 4.3.16; for a note in an ELF file elf(5).
The toolchain of Go puts its note, with the owner "Go", into the first pages.
"""

from __future__ import annotations

import os
import stat
import struct
from contextlib import suppress
from posixpath import basename
from typing import Iterator, List, Sequence, Tuple

from .._kernel.processes import ROOT, read_command_line
from .._model.next_start import Program
from .._model.servers import JAVA

END_OF_ARCHIVE = struct.Struct("<4s8xIIH")
"""Signature, numbers of disks and entries, size and offset of the directory, length of a comment."""
END_SIGNATURE = b"PK\5\6"
END_SIZE = END_OF_ARCHIVE.size + 65535
DIRECTORY_LIMIT = 4 << 20
"""Bytes of an archive's directory: that of a Spring Boot jar has some 100 KiB."""
ARCHIVES_LIMIT = 4
DESCRIPTORS_LIMIT = 4096
GO_NOTE = b"\4\0\0\0Go\0\0"
"""Type 4 and the owner's name (Go src/cmd/internal/buildid, elfGoNote)."""
NOTE_WITHIN = 1 << 15


def read_program(pid: int, names: Sequence[str], root: str = ROOT) -> Program:
    """Return what tells which server a process is; what is hidden stays empty. names: as a Holder has them."""
    line = read_command_line(pid, root)
    title = basename(line[0].split(" ")[0].rstrip(":")) if line else ""
    known = tuple(dict.fromkeys(name for name in (*names, title) if name))
    is_java = any(name in JAVA for name in known)
    parts = " ".join(_open_jars(pid, root)) if is_java else ""
    return Program(known, " ".join(line), parts, _is_go(f"{root}/{pid}/exe"))


def _is_go(path: str) -> bool:
    with suppress(OSError), open(path, "rb") as file:
        return GO_NOTE in file.read(NOTE_WITHIN)
    return False


def _open_jars(pid: int, root: str) -> Iterator[str]:
    """Yield names of the jars that a JVM has open, and what is in the first of them.

    They are read by its own descriptors, so that no path of a container is ever followed.
    """
    directory = f"{root}/{pid}/fd"
    opened = 0
    for path, name in _jars(directory):
        yield basename(name)
        if opened < ARCHIVES_LIMIT:
            opened += 1
            with suppress(OSError):
                yield _names_in_archive(path)


def _jars(directory: str) -> List[Tuple[str, str]]:
    found = []
    with suppress(OSError):
        for number in sorted(os.listdir(directory), key=len)[:DESCRIPTORS_LIMIT]:
            with suppress(OSError):
                name = os.readlink(f"{directory}/{number}")
                if name.endswith((".jar", ".war")):
                    found.append((f"{directory}/{number}", name))
    return found


def _names_in_archive(path: str) -> str:
    """Return the directory of an archive as text: between other fields it has the names of all files, unpacked."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        return ""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - END_SIZE))
        tail = file.read(END_SIZE)
        position = _end_of_archive(tail)
        if position < 0:
            return ""
        _signature, length, offset, _comment = END_OF_ARCHIVE.unpack_from(tail, position)
        file.seek(offset)
        return file.read(min(length, DIRECTORY_LIMIT)).decode("latin-1")


def _end_of_archive(tail: bytes) -> int:
    """Return where the last record begins, -1 for none: its comment reaches to the very end, and may look like one."""
    position = tail.rfind(END_SIGNATURE)
    while position >= 0:
        end = position + END_OF_ARCHIVE.size
        if end <= len(tail) and end + END_OF_ARCHIVE.unpack_from(tail, position)[3] == len(tail):
            break
        position = tail.rfind(END_SIGNATURE, 0, position)
    return position
