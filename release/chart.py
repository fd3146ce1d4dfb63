"""The Helm chart as a package, made by Helm's own code."""

import gzip
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from helm_python.chart import package

from release.licenses import ROOT

CHART = ROOT / "helm" / "imageconverter"


def build(folder: Path, epoch: int) -> Path:
    """Pack the chart into *folder*; all of its files get the time *epoch*, in seconds since 1970."""
    with TemporaryDirectory() as temporary:
        packed = Path(package(CHART, destination=temporary))
        target = folder / packed.name
        # Helm writes the time of packing, and the files in no certain order.
        with (
            tarfile.open(packed) as source,
            target.open("wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=epoch) as compressed,
            tarfile.open(fileobj=compressed, mode="w") as archive,
        ):
            for member in sorted(source.getmembers(), key=lambda each: each.name):
                member.mtime = epoch
                member.pax_headers = {}
                archive.addfile(member, source.extractfile(member))
    return target
