"""PNM files, made by code from their samples."""

from typing import Any

import numpy as np

Samples = np.ndarray[Any, np.dtype[Any]]


def plain(samples: Samples, maximum: int = 255, *, comments: bool = False) -> bytes:
    """Make a PBM, PGM or PPM as text of *samples* (row, column, channel)."""
    height, width, channels = samples.shape
    kind = 1 if maximum == 1 else 2 if channels == 1 else 3
    rows = [" ".join(map(str, row.reshape(-1).tolist())) for row in samples]
    note = "# 1 2 3\n" if comments else ""
    most = "" if kind == 1 else f"{note}{maximum}{' # the most' if comments else ''}\n"
    return (
        f"P{kind}\n{note}{width} {note}{height}\n{most}{note}{f'{note}'.join(row + chr(10) for row in rows)}".encode()
    )


def raw(samples: Samples, maximum: int = 255, *, comments: bool = False) -> bytes:
    """Make a PGM or PPM, or of bits a PBM, as bytes."""
    height, width, channels = samples.shape
    note = "# 1 2 3\r\n" if comments else ""
    if maximum == 1:
        return f"P4\n{note}{width}\t{height}\n".encode() + np.packbits(samples[..., 0], axis=1).tobytes()
    kind = 5 if channels == 1 else 6
    return f"P{kind} {note}{width}\n{note}{height} {maximum}\n".encode() + _bytes(samples, maximum)


def pam(samples: Samples, tuple_type: str, maximum: int = 255) -> bytes:
    """Make a PAM; without TUPLTYPE if *tuple_type* is empty."""
    height, width, channels = samples.shape
    kind = f"TUPLTYPE {tuple_type}\n" if tuple_type else ""
    head = f"P7\nWIDTH {width}\nHEIGHT {height}\n# MAXVAL 3\nDEPTH {channels}\nMAXVAL {maximum}\n{kind}ENDHDR\n"
    return head.encode() + _bytes(samples, maximum)


def pfm(samples: Samples, *, scale: float = -1.0) -> bytes:
    """Make a PFM of *samples* as they are seen, little-endian if *scale* is negative."""
    height, width, channels = samples.shape
    head = f"{'Pf' if channels == 1 else 'PF'}\n{width} {height}\n{scale}\n"
    return head.encode() + samples[::-1].astype("<f4" if scale < 0 else ">f4").tobytes()


def _bytes(samples: Samples, maximum: int) -> bytes:
    return samples.astype(">u2" if maximum > 255 else "u1").tobytes()
