# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Labels of podman's containers: they are in its database, not in the configuration of the runtime below."""

from __future__ import annotations

import json
from typing import Dict, Iterable, Iterator, Tuple, Union
from urllib.parse import quote

from .bolt import BoltError, open_database
from .bolt_file import read_snapshot
from .reading import UnreadableFile, exists, read_bytes, under
from .state import RuntimeState, object_of, texts_of

_SUBJECT = "podman labels"
_BOLT = "libpod/bolt_state.db"
# Of podman from 4.8 on, where there was no older one. Some 50 KiB for each container.
_SQLITE = ("db.sql", "libpod/db.sql")
_LIMIT = 128 * 1024 * 1024
_SQLITE_MAGIC = b"SQLite format 3\0"
# "File format write version" in the header: rollback journal 1, write-ahead log 2 (sqlite.org/fileformat2.html 1.3).
_WRITE_VERSION = 18
_WRITE_AHEAD_LOG = 2
# Seconds to wait while podman writes, which it does for milliseconds.
_PATIENCE = 5.0

_Configuration = Tuple[str, Union[str, bytes]]


def read_podman_labels(state: RuntimeState, directories: Iterable[str]) -> Dict[str, Dict[str, str]]:
    """Return the labels of the containers of the machine's podman by their id.

    directories: those of the store. A database is read whole and as of one transaction; nothing is written.
    Source: podman 4.3 libpod/boltdb_state.go, bucket ctr/ID, key config (a recorded file in the tests); podman 5
    libpod/sqlite_state.go, table ContainerConfig.
    """
    found: Dict[str, Dict[str, str]] = {}
    for directory in directories:
        for name, read in ((_BOLT, _from_bolt), *((name, _from_sqlite) for name in _SQLITE)):
            path = f"{directory}/{name}"
            try:
                for identifier, text in list(read(state.root, path)):
                    found[identifier] = texts_of(object_of(json.loads(text)).get("labels"))
            except UnreadableFile as error:
                state.problems.append(error.problem(_SUBJECT))
            except (ValueError, RecursionError) as error:
                # Of BoltError, too: it is a ValueError.
                state.problem(_SUBJECT, str(error), path)
    return found


def _from_bolt(root: str, path: str) -> Iterator[_Configuration]:
    content = read_snapshot(root, path, _LIMIT)
    containers = open_database(content).bucket(b"ctr") if content is not None else None
    for identifier, container in containers.buckets() if containers else ():
        configuration = dict(container.values()).get(b"config")
        if configuration is None:
            raise BoltError(f"container {identifier.decode(errors='replace')} has no configuration")
        yield identifier.decode("utf-8", errors="replace"), configuration


def _from_sqlite(root: str, path: str) -> Iterator[_Configuration]:
    content = read_bytes(root, path, _LIMIT)
    if content is None:
        return
    if not content.startswith(_SQLITE_MAGIC) or len(content) <= _WRITE_VERSION:
        raise ValueError("it is no SQLite database")
    # Else SQLite would make the files of the log anew, and a reader writes nothing.
    settled = content[_WRITE_VERSION] == _WRITE_AHEAD_LOG and not exists(root, f"{path}-wal")
    yield from _query(under(root, path), "immutable=1" if settled else "mode=ro")


def _query(file: str, how: str) -> Iterator[_Configuration]:
    try:
        import sqlite3  # pylint: disable=import-outside-toplevel
    except ImportError as error:
        raise ValueError(f"this host's Python cannot read SQLite databases: {error}") from error
    try:
        connection = sqlite3.connect(f"file:{quote(file)}?{how}", uri=True, timeout=_PATIENCE)
        try:
            rows = connection.execute("SELECT ID, JSON FROM ContainerConfig").fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ValueError(f"SQLite cannot read it: {error}") from error
    yield from ((str(identifier), text) for identifier, text in rows if isinstance(text, (str, bytes)))
