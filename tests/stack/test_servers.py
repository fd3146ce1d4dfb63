"""The embedded object store of `up`."""

import asyncio
import os
import signal
import socket
from pathlib import Path

from services.stack.ports import LOOPBACK, kept_port
from services.stack.program import Program
from services.stack.servers import Server, object_store


def make(folder: Path) -> Server:
    """Return the object store of a data folder."""
    return object_store(folder / "s3", folder, dict(os.environ), ("access", "secret-of-s3"))


async def until_answering(port: int) -> None:
    """Wait until something listens on *port*."""
    async with asyncio.timeout(60):
        while True:
            with socket.socket() as probe:
                if probe.connect_ex((LOOPBACK, port)) == 0:
                    return
            await asyncio.sleep(0.1)


async def test_the_store_has_the_same_port_after_a_kill(tmp_path: Path) -> None:
    """So that rclone or aws need not be configured again."""
    first = make(tmp_path)
    program = Program(first.command)
    program.start()
    await until_answering(first.port)
    await program.stop(grace_seconds=0)  # by SIGKILL, which leaves its sockets behind

    again = make(tmp_path)
    assert again.port == first.port
    program = Program(again.command)
    program.start()
    try:
        await until_answering(again.port)
    finally:
        await program.stop(grace_seconds=0)


def test_a_port_in_use_is_replaced(tmp_path: Path) -> None:
    """By one that is kept from then on."""
    file = tmp_path / "port"
    port = kept_port(file)
    with socket.socket() as other:
        other.bind((LOOPBACK, port))
        other.listen()
        another = kept_port(file)

    assert another != port
    assert kept_port(file) == another


def test_a_broken_file_is_replaced(tmp_path: Path) -> None:
    """As after a full disk."""
    file = tmp_path / "port"
    for text in ("", "x", "80", str(signal.SIGKILL)):
        file.write_text(text)
        assert str(kept_port(file)) == file.read_text().strip()
