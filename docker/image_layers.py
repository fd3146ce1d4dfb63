"""Lay out the layers of the image, run at its build: only what the roles need, with the same content each time.

Usage: image_layers.py TARGET EPOCH. Below TARGET are made `system` (Python and what it needs of Debian: no shell, no
package manager), `packages` (what is installed from PyPI) and `project`, to be copied to / one after the other.
All times are EPOCH, in seconds since 1970.
"""

import contextlib
import importlib
import os
import pkgutil
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path

HOME = Path(sys.prefix)
SITE = Path(sysconfig.get_path("purelib"))
PYTHON = Path(sys.base_prefix)
PROJECT = "imageconverter-stack"
USER = 10001

# Of Debian, beside shared libraries: certificates, names of services, time zones, and what it calls itself.
FILES = (
    "etc/debian_version", "etc/group", "etc/host.conf", "etc/ld.so.cache", "etc/ld.so.conf", "etc/ld.so.conf.d",
    "etc/nsswitch.conf", "etc/os-release", "etc/passwd", "etc/protocols", "etc/services", "etc/ssl/certs",
    "etc/ssl/openssl.cnf", "usr/lib/locale/C.utf8", "usr/lib/os-release", "usr/lib/ssl", "usr/share/ca-certificates",
    "usr/share/zoneinfo",
)  # fmt: skip
# Shared libraries that are loaded by name.
BY_NAME = ("libgcc_s.so.1", "libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2")
# Of Python: what installs packages and what has a window.
UNUSED_OF_PYTHON = (
    "config-*", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages", "test", "tkinter", "turtledemo",
)  # fmt: skip
# Of packages: their tests, what compilers and type checkers need, and what no role imports.
# The languages of the console stay.
UNUSED = (
    "**/tests", "**/*.pyi", "**/*.pxd", "**/*.pyx", "**/*.h", "**/*.a", "**/*.c", "numpy/f2py", "numpy/_core/include",
    "sqlalchemy/testing", "babel/locale-data/*.dat",
)  # fmt: skip
# Modules that are imported when they are first needed.
LATE = (
    "babel.dates", "babel.numbers", "duckdb", "sqlalchemy.dialects.mysql.pymysql",
    "sqlalchemy.dialects.postgresql.psycopg",
)  # fmt: skip


def main(target: Path, epoch: int) -> None:
    """Lay out all layers below *target*."""
    _remove_unused()
    _compile(_imported())
    _move_project(target / "project")
    _copy(HOME, target / "packages")
    _copy_system(target / "system")
    for name, mode in (("tmp", 0o1777), ("work", 0o755)):
        (target / "system" / name).mkdir()
        (target / "system" / name).chmod(mode)
    os.chown(target / "system" / "work", USER, USER)
    for folder, folders, files in os.walk(target, topdown=False):
        for name in (*folders, *files):
            os.utime(Path(folder) / name, (epoch, epoch), follow_symlinks=False)


def _remove_unused() -> None:
    languages = ["root", "en", *(path.name for path in SITE.glob("services/gateway/console/locale/*"))]
    kept = {path for language in languages for path in SITE.glob(f"babel/locale-data/{language}*.dat")}
    for pattern in UNUSED:
        for path in sorted(SITE.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            elif path not in kept:
                path.unlink(missing_ok=True)


def _imported() -> Iterator[Path]:
    """Import all modules of the project, and yield the files of what is then imported."""
    for package in ("services", "imageconverter", "rare_formats"):
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not module.name.endswith("__main__") and ".snippets" not in module.name:
                with contextlib.suppress(ModuleNotFoundError):  # what an extra installs
                    importlib.import_module(module.name)
    for name in LATE:
        importlib.import_module(name)
    importlib.import_module("services.worker.sandbox.preload").preload()
    _remove_unused_codecs()
    for module in list(sys.modules.values()):
        if (file := getattr(module, "__file__", None)) and file.endswith(".py"):
            yield Path(file)


def _remove_unused_codecs() -> None:
    """Remove the codecs that were not loaded, and the libraries that only they need."""
    loaded = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()}
    for path in (*SITE.glob("imagecodecs/*.so"), *SITE.glob("imagecodecs.libs/*")):
        if str(path) not in loaded:
            path.unlink()


def _compile(sources: Iterable[Path]) -> None:
    """Compile what is imported: in a read-only container it would be compiled at every start."""
    for cache in (*HOME.rglob("__pycache__"), *PYTHON.rglob("__pycache__")):
        shutil.rmtree(cache)
    for source in sorted(set(sources)):
        # Without a time, or the same file would differ, and without a look at the source at each start.
        py_compile.compile(str(source), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def _move_project(target: Path) -> None:
    for file in distribution(PROJECT).files or ():
        path = Path(os.path.normpath(SITE / file))
        for each in (path, path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"):
            if each.exists():
                moved = target / each.relative_to("/")
                moved.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(each, moved)


def _copy_system(target: Path) -> None:
    target.mkdir()
    for link in ("bin", "lib", "lib64", "sbin"):  # into /usr
        if Path("/", link).is_symlink():
            (target / link).symlink_to(Path("/", link).readlink())
    version = f"python3.{sys.version_info.minor}"
    library = PYTHON / "lib" / version
    unused = [path for pattern in UNUSED_OF_PYTHON for path in library.glob(pattern)]
    programs = [PYTHON / "bin" / name for name in ("python", "python3", version)]
    for path in (*programs, *PYTHON.glob("lib/libpython3*"), library, *(Path("/", name) for name in FILES)):
        if path.exists():
            _copy(path, target, unused)
    libraries = _shared_libraries()
    for path in sorted(libraries | {path.resolve() for path in libraries}):
        _copy(path, target)
    _describe_debian(libraries, target)


def _shared_libraries() -> set[Path]:
    """Return Debian's shared libraries that Python and the packages need."""
    binaries = [
        path
        for root in (PYTHON, HOME)
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink() and path.open("rb").read(4) == b"\x7fELF"
    ]
    listed = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False).stdout
    used = [Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", listed, re.MULTILINE)]
    used += [path for name in BY_NAME for path in Path("/usr/lib").glob(f"*/{name}")]
    found = {path.parent.resolve() / path.name for path in used}
    return {path for path in found if path.parts[2].startswith("lib")}  # of /usr, rather than /usr/local or /opt


def _describe_debian(files: Iterable[Path], target: Path) -> None:
    """Say which packages *files* and FILES are from, and what their licenses are."""
    known = ["/etc/debian_version", "/etc/services", "/usr/sbin/update-ca-certificates"]
    names = {each for path in (*known, *map(str, files)) for each in (path, path.removeprefix("/usr"))}
    found = subprocess.run(["dpkg-query", "--search", *names], capture_output=True, text=True, check=False).stdout
    owners = {line.partition(":")[0] for line in found.splitlines()}
    status = target / "var/lib/dpkg/status.d"  # where scanners look for packages of images without dpkg
    status.mkdir(parents=True)
    for stanza in Path("/var/lib/dpkg/status").read_text().split("\n\n"):
        name = stanza.partition("\n")[0].removeprefix("Package: ")
        notice = Path("/usr/share/doc", name, "copyright")
        if name in owners:
            (status / name).write_text(f"{stanza}\n")
            if notice.exists():
                _copy(notice, target)


def _copy(source: Path, target: Path, unused: Iterable[Path] = ()) -> None:
    """Copy *source* to the same place below *target*, without *unused*; links stay links."""
    skipped = set(unused)
    copy = target / source.relative_to("/")
    copy.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(
            source, copy, symlinks=True, dirs_exist_ok=True,
            ignore=lambda folder, names: [name for name in names if Path(folder, name) in skipped],
        )  # fmt: skip
    elif not copy.exists():
        shutil.copy2(source, copy, follow_symlinks=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
