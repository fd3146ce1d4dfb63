"""Servers that make previews of 200 by 150 of files in a folder, on one core."""

import functools
import getpass
import itertools
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from bench.peers import packages
from services.stack.ports import free_ports

WIDTH, HEIGHT, QUALITY = 200, 150, 75
_START_SECONDS: Final = 20


class Server(NamedTuple):
    """A port, and the path of a preview, with `{}` where the number of the source comes if there are several."""

    port: int
    path: str

    def requests(self, count: int) -> Callable[[], bytes]:
        """Return what makes a request for another of *count* sources each time."""
        made = [
            f"GET {self.path.format(number)} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode()
            for number in range(count)
        ]
        return functools.partial(next, itertools.cycle(made))


@contextmanager
def thumbor(sources: Sequence[Path], folder: Path, *, is_cached: bool, core: int) -> Iterator[Server]:
    """Run thumbor, with its result storage if *is_cached*; raises MissingError."""
    _copy(sources, folder)
    program = packages.python().parent / "thumbor"
    storage = "file_storage" if is_cached else "no_storage"
    configuration = folder / f"thumbor-{storage}.conf"
    configuration.write_text(
        f"LOADER = 'thumbor.loaders.file_loader'\nFILE_LOADER_ROOT_PATH = {str(folder)!r}\n"
        "STORAGE = 'thumbor.storages.no_storage'\nRESPECT_ORIENTATION = True\n"
        f"RESULT_STORAGE = {f'thumbor.result_storages.{storage}' if is_cached else None!r}\n"
        f"RESULT_STORAGE_FILE_STORAGE_ROOT_PATH = {str(folder / 'results')!r}\n"
        f"RESULT_STORAGE_STORES_UNSAFE = True\nALLOW_UNSAFE_URL = True\nQUALITY = {QUALITY}\nLOG_LEVEL = 'error'\n"
    )
    (port,) = free_ports(1)
    server = Server(port, f"/unsafe/fit-in/{WIDTH}x{HEIGHT}/{{}}.jpg")
    command = [str(program), "-p", str(port), "-i", "127.0.0.1", "-l", "error", "-c", str(configuration)]
    with running(command, port, server.path.format(0), folder, core):
        yield server


@contextmanager
def ipx(sources: Sequence[Path], folder: Path, *, core: int) -> Iterator[Server]:
    """Run ipx, which has no cache; raises MissingError."""
    _copy(sources, folder)
    (port,) = free_ports(1)
    program = packages.npm() / "node_modules" / "ipx" / "bin" / "ipx.mjs"
    command = [packages.program("node"), str(program), "serve", "--dir", str(folder)]
    server = Server(port, f"/fit_inside,s_{WIDTH}x{HEIGHT},f_jpeg,q_{QUALITY}/{{}}.jpg")
    environment = {**os.environ, "PORT": str(port), "HOST": "127.0.0.1", "NODE_ENV": "production"}
    with running(command, port, server.path.format(0), folder, core, environment):
        yield server


@contextmanager
def nginx(sources: Sequence[Path], folder: Path, *, is_cached: bool, core: int) -> Iterator[Server]:
    """Run nginx with image_filter, with its own cache in front if *is_cached*; raises MissingError."""
    _copy(sources, folder)
    program = packages.debian_program("nginx", "usr/sbin/nginx")
    modules = packages.debian("libnginx-mod-http-image-filter") / "usr" / "lib" / "nginx" / "modules"
    port, behind = free_ports(2)
    if not is_cached:
        port = behind
    cached = (
        f"proxy_cache_path {folder}/nginx-cache keys_zone=previews:1m;"
        f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_cache previews; proxy_cache_valid 200 1h;"
        f" proxy_pass http://127.0.0.1:{behind}; }} }}"
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"user {getpass.getuser()}; load_module {modules}/ngx_http_image_filter_module.so;"
        " daemon off; worker_processes 1;"
        f" pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{ worker_connections 512; }}"
        f" http {{ access_log off; keepalive_requests 1000000; {cached if is_cached else ''}"
        f" server {{ listen 127.0.0.1:{behind}; root {folder}; location / {{ image_filter resize {WIDTH} {HEIGHT};"
        f" image_filter_jpeg_quality {QUALITY}; image_filter_buffer 32M; }} }} }}"
    )
    server = Server(port, "/{}.jpg")
    command = [*program, "-p", str(folder), "-c", str(configuration), "-e", f"{folder}/nginx.log"]
    with running(command, port, "/0.jpg", folder, core):
        yield server


@contextmanager
def running(
    command: Sequence[str],
    port: int,
    path: str,
    folder: Path,
    core: int,
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run *command* on one core until the block ends, which starts when *path* is served.

    Raises OSError if that takes too long.
    """
    pinned = ["taskset", "-c", str(core), *command]
    with subprocess.Popen(
        pinned, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).read())
            yield
        finally:
            process.terminate()


def _copy(sources: Sequence[Path], folder: Path) -> None:
    """Put *sources* into *folder* by number."""
    folder.mkdir(exist_ok=True)
    for number, source in enumerate(sources):
        shutil.copyfile(source, folder / f"{number}.jpg")


def _wait_for(attempt: Callable[[], object]) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            attempt()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return
