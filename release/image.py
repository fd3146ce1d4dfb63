"""The container image: built by Docker, and its files read from its layers."""

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from release.licenses import ROOT

MAX_BYTES = 400_000_000
"""As `docker image ls` prints it: of all layers, not compressed."""


@dataclass(frozen=True)
class Entry:
    """A file, folder or link of an image."""

    kind: bytes
    mode: int
    owner: tuple[int, int]
    modified: float
    content: str
    """The SHA-256 of a file, the target of a link."""


def why_not() -> str:
    """Return the reason why no image can be built, "" if it can."""
    try:
        done = subprocess.run(["docker", "version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stderr.strip() if done.returncode else ""


def build(name: str, epoch: int, *, cached: bool) -> None:
    """Build the image *name*, whose files have the time *epoch* in seconds since 1970."""
    options = [] if cached else ["--no-cache"]
    _docker("build", "--quiet", *options, "--build-arg", f"SOURCE_DATE_EPOCH={epoch}", "--tag", name, ".")


def check(name: str) -> int:
    """Return the size of the image in bytes; raises RuntimeError if it is too large, or runs as root."""
    ((size, user),) = [
        (each["Size"], each["Config"]["User"]) for each in json.loads(_docker("image", "inspect", name))
    ]
    if size > MAX_BYTES:
        raise RuntimeError(f"{name} has {size / 1e6:.0f} MB, more than {MAX_BYTES / 1e6:.0f} MB")
    if user.partition(":")[0] in ("", "0", "root"):
        raise RuntimeError(f"{name} runs as root")
    return int(size)


def save(name: str, file: Path) -> None:
    """Write the image as an archive that `docker load` reads."""
    plain = file.with_suffix(".tar")
    _docker("save", "--output", str(plain), name)
    with (
        plain.open("rb") as source,
        file.open("wb") as target,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=target, mtime=0) as compressed,
    ):
        shutil.copyfileobj(source, compressed, 1 << 20)
    plain.unlink()


def entries(archive: Path, *, unpack: Path | None = None) -> dict[str, Entry]:
    """Return what an image consists of, by path, from what `save` has written; *unpack* gets a copy of its files."""
    found: dict[str, Entry] = {}
    with tarfile.open(archive) as saved:
        for layer in json.loads(_read(saved, saved.getmember("manifest.json")))[0]["Layers"]:
            with tarfile.open(fileobj=io.BytesIO(_read(saved, saved.getmember(layer)))) as files:
                for member in files:
                    content = member.linkname
                    if member.isfile():
                        content = hashlib.sha256(_read(files, member)).hexdigest()
                    owner = (member.uid, member.gid)
                    found[member.name] = Entry(member.type, member.mode, owner, member.mtime, content)
                    if unpack and not member.isdev():
                        files.extract(member, unpack, filter="fully_trusted", set_attrs=False)
    return found


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return file.read() if file else b""


def debian(folder: Path) -> list[dict[str, str]]:
    """Return the fields of the Debian packages that an unpacked image says it has."""
    return [
        dict(line.split(": ", 1) for line in path.read_text().splitlines() if ": " in line and line[0] != " ")
        for path in sorted((folder / "var/lib/dpkg/status.d").iterdir())
    ]


def _docker(*arguments: str) -> str:
    # The classic builder is there without the plugin buildx.
    environment = {**os.environ, "DOCKER_BUILDKIT": os.environ.get("DOCKER_BUILDKIT", "0")}
    done = subprocess.run(
        ["docker", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"docker {arguments[0]} exited with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
