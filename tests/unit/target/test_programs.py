# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process tells about which server it is, as a made-up /proc shows it."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Sequence

from hypothesis import given
from hypothesis import strategies as some
from pytest import TempPathFactory

from ansible_collections.netfit.cluster.plugins.module_utils._facts.programs import GO_NOTE, read_program
from ansible_collections.netfit.cluster.plugins.module_utils._model.next_start import Program, recognise

PID = 42


def process(root: Path, command_line: bytes, executable: bytes = b"\x7fELF", files: Sequence[Path] = ()) -> str:
    """Make the folder of a process and return the root."""
    folder = root / "proc" / str(PID)
    (folder / "fd").mkdir(parents=True)
    (folder / "cmdline").write_bytes(command_line)
    (folder / "exe").write_bytes(executable)
    for number, file in enumerate(files):
        (folder / "fd" / str(number)).symlink_to(file)
    return str(root / "proc")


def jar(path: Path, *names: str, comment: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 100)
        archive.comment = comment
    return path


def server(program: Program) -> str:
    found = recognise(program)
    return found.name if found is not None else ""


def test_a_jar_tells_what_is_packed_in_it(tmp_path: Path) -> None:
    names = ("META-INF/MANIFEST.MF", *(f"BOOT-INF/lib/other-{number}.jar" for number in range(300)))
    app = jar(
        tmp_path / "app.jar", *names, "BOOT-INF/lib/tomcat-embed-core-10.1.16.jar", comment=b"PK\5\6 or not" + bytes(99)
    )
    root = process(tmp_path, b"java\0-jar\0/srv/app.jar\0", files=[Path("/dev/null"), app])
    program = read_program(PID, ["java"], root)
    assert program.command_line == "java -jar /srv/app.jar"
    assert program.parts.startswith("app.jar ") and "tomcat-embed-core-10.1.16.jar" in program.parts
    assert server(program) == "Tomcat (Spring Boot MVC)"


def test_a_class_path_tells_by_the_names_of_its_jars(tmp_path: Path) -> None:
    jars = [jar(tmp_path / f"part-{number}.jar", "a") for number in range(8)]
    root = process(tmp_path, b"java\0-cp\0lib/*\0Main\0", files=[*jars, jar(tmp_path / "netty-transport-4.1.jar", "b")])
    assert server(read_program(PID, ["java"], root)) == "Netty"


def test_only_a_jvm_is_searched_for_jars(tmp_path: Path) -> None:
    root = process(tmp_path, b"archiver\0", files=[jar(tmp_path / "app.jar", "io/netty/x")])
    assert read_program(PID, ["archiver"], root).parts == ""


def test_what_is_called_a_jar_and_is_none_does_not_disturb(tmp_path: Path) -> None:
    (tmp_path / "empty.jar").write_bytes(b"")
    (tmp_path / "text.jar").write_bytes(b"no archive" * 20000)
    (tmp_path / "cut.jar").write_bytes(b"PK\5\6\0")
    os.mkfifo(tmp_path / "pipe.jar")
    files = [tmp_path / name for name in ("empty.jar", "text.jar", "cut.jar", "pipe.jar", "gone.jar")]
    root = process(tmp_path, b"java\0", files=files)
    assert server(read_program(PID, ["java"], root)) == "Java (JDK sockets)"


def test_what_a_program_calls_itself_counts_as_a_name(tmp_path: Path) -> None:
    root = process(tmp_path, b"nginx: master process /usr/sbin/nginx -g daemon on;\0")
    assert read_program(PID, ["nginx"], root).names == ("nginx",)
    root = process(tmp_path / "other", b"puma 6.4.0 (tcp://0.0.0.0:9292)\0")
    assert read_program(PID, ["ruby", "ruby3.1"], root).names == ("ruby", "ruby3.1", "puma")


def test_go_is_seen_by_its_note(tmp_path: Path) -> None:
    root = process(tmp_path, b"/usr/bin/mine\0", executable=b"\x7fELF" + bytes(980) + GO_NOTE + bytes(20))
    program = read_program(PID, ["mine"], root)
    assert program.is_go and server(program) == "Go"
    root = process(tmp_path / "other", b"/usr/bin/mine\0", executable=b"\x7fELF" + bytes(40000) + GO_NOTE)
    assert not read_program(PID, ["mine"], root).is_go


def test_a_process_that_is_gone_or_hidden_tells_nothing(tmp_path: Path) -> None:
    assert read_program(PID, ["java"], str(tmp_path)) == Program(("java",))
    assert read_program(PID, [], str(tmp_path)) == Program(())


@given(some.binary(max_size=300), some.integers(0, 2))
def test_damaged_archives_never_raise(tmp_path_factory: TempPathFactory, content: bytes, ends: int) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "app.jar").write_bytes(content + b"PK\5\6" * ends + content[:20])
    root = process(folder, content, files=[folder / "app.jar"])
    assert read_program(PID, ["java"], root).names[0] == "java"
