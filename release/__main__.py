"""Make what a release consists of, and check it: `make dist`."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from cyclonedx.model.component import ComponentType

from imageconverter import __version__
from release import chart, image, installation, sbom, wheels
from release.licenses import ROOT

DIST = ROOT / "dist"
_IMAGE = f"imageconverter:{__version__}"


def main() -> None:
    """Make everything twice, compare, check, and write the checksums."""
    if changed := _git("status", "--porcelain"):
        sys.exit(f"A release is made of a commit, but these differ from it:\n{changed}")
    epoch = int(_git("log", "-1", "--format=%ct"))
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _packages(epoch, folder)
        _image(epoch, folder)
    files = sorted(DIST.iterdir())
    digests = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (DIST / "SHA256SUMS").write_text("".join(digests), encoding="utf-8")
    for file in files:
        print(f"{file.stat().st_size / 1e6:8.2f} MB  dist/{file.name}")


def _packages(epoch: int, folder: Path) -> None:
    """Make the wheels and the chart, and let the wheel run alone."""
    made = [*wheels.build(DIST, epoch), chart.build(DIST, epoch)]
    again = folder / "again"
    again.mkdir()
    for first, second in zip(made, [*wheels.build(again, epoch), chart.build(again, epoch)], strict=True):
        if first.read_bytes() != second.read_bytes():
            raise RuntimeError(f"{first.name} differs from a second build of it")
    installed = folder / "installed"
    installed.mkdir()
    wheel = made[0]
    installation.check(installation.install(wheel, installed), installed)
    bill = DIST / f"{wheel.stem}.cdx.json"
    sbom.write(bill, ComponentType.APPLICATION, installation.packages(installed), [], epoch)


def _image(epoch: int, folder: Path) -> None:
    """Make the image, if a Docker engine is running."""
    if reason := image.why_not():
        print(f"SKIPPED: the image, because no Docker engine is running ({reason})", file=sys.stderr)
        return
    archive = DIST / f"imageconverter-{__version__}-image.tar.gz"
    found = []
    for file in (folder / "first.tar.gz", archive):
        image.build(_IMAGE, epoch, cached=False)
        image.save(_IMAGE, file)
        found.append(image.entries(file, unpack=folder / "files" if file is archive else None))
    if differing := sorted(
        path for path in found[0].keys() | found[1].keys() if found[0].get(path) != found[1].get(path)
    ):
        raise RuntimeError(f"two builds of the image differ in {', '.join(differing[:10])}")
    print(f"The image has {image.check(_IMAGE) / 1e6:.0f} MB.")
    (packages,) = (folder / "files").glob("opt/imageconverter/lib/python*/site-packages")
    bill = DIST / f"imageconverter-{__version__}-image.cdx.json"
    sbom.write(bill, ComponentType.CONTAINER, packages, image.debian(folder / "files"), epoch)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
