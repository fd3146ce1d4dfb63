"""Certificates of an authority that is trusted by no system, made with OpenSSL's command."""

import subprocess
from pathlib import Path
from typing import NamedTuple

_KEY = ("-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


class Certificate(NamedTuple):
    """PEM files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """An authority with its files in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        """Create the authority *name*."""
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self.files = Certificate(folder / f"{name}.pem", folder / f"{name}-key.pem")
        _request(self.files, name, "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name: str, *, names: str) -> Certificate:
        """Return a certificate for the alternative *names*, as `IP:127.0.0.1`."""
        files = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}-key.pem")
        signed = ["-CA", str(self.files.certificate), "-CAkey", str(self.files.key)]
        _request(files, name, f"subjectAltName={names}", "basicConstraints=critical,CA:FALSE", options=signed)
        return files


def _request(files: Certificate, name: str, *extensions: str, options: list[str] | None = None) -> None:
    added = [part for extension in extensions for part in ("-addext", extension)]
    command = ["openssl", "req", "-x509", *_KEY, "-subj", f"/CN={name}", *added, *(options or [])]
    command += ["-out", str(files.certificate), "-keyout", str(files.key)]
    subprocess.run(command, check=True, capture_output=True)
