"""GKS metafiles for tests, in the layouts of the programs XGKS and Varkon, and in binary.

An item is its kind and its fields: integers, floats and strings.
"""

import struct

Field = int | float | str
Item = tuple[Field, ...]


def xgks(*items: Item) -> bytes:
    """Return a metafile in the layout of XGKS: one item a line, no prefix."""
    lines = [_header(" 1 0 3 6 611 1 1") + "dummy info." * 2]
    for kind, *fields in (*items, (0,)):
        data = "".join(_text(field, "%6d", "%11.5f") for field in fields)
        # Like XGKS, which counts four bytes for each cell of an array instead of six.
        length = len(data) if kind != 15 else 6 * 11 + 6 + 4 * (len(fields) - 8)
        lines.append(f"{kind:3}{length:6}{data}")
    return "\n".join([*lines, ""]).encode("latin-1")


def varkon(*items: Item, header: str = " 1 4 4 6 610 1 1") -> bytes:
    """Return a metafile in the layout of Varkon: each item has a prefix and is wrapped at 80 characters."""
    lines = [_header(header, "VARKON-3D/B V:1    R:19")]
    for kind, *fields in (*items, (0,)):
        data = "".join(_text(field, "%6d", "%10.8f")[: 6 if isinstance(field, int) else 10] for field in fields)
        item = f"GKSM{kind:4}{len(data):6}{data}"
        lines += [item[at : at + 80] for at in range(0, len(item), 80)]
    return "\n".join([*lines, ""]).encode("latin-1")


def scaled(*items: Item) -> bytes:
    """Return a metafile whose reals are stored as integers; 10000 is 1.0."""
    lines = [_header(" 1 0 3 6 6 6 1 2") + f"{0:11}{10_000:11}"]
    for kind, *fields in (*items, (0,)):
        whole = [round(field * 10_000) if isinstance(field, float) else field for field in fields]
        data = "".join(_text(field, "%6d", "") for field in whole)
        lines.append(f"{kind:3}{len(data):6}{data}")
    return "\n".join([*lines, ""]).encode("latin-1")


def binary(*items: Item, order: str = ">", prefix: int = 4) -> bytes:
    """Return a metafile of binary numbers: kinds and lengths of two bytes, integers and reals of four."""
    data = (_header(f" 1 {prefix} 2 2 4 4 2 1") + "dummy info." * 2).encode()
    for kind, *fields in (*items, (0,)):
        parts = [
            field.encode("latin-1") if isinstance(field, str)
            else struct.pack(f"{order}{'i' if isinstance(field, int) else 'f'}", field)
            for field in fields
        ]  # fmt: skip
        body = b"".join(parts)
        data += b"GKSM"[:prefix] + struct.pack(f"{order}hh", kind, len(body)) + body
    return data


def _header(numbers: str, author: str = "author@example") -> str:
    return f"GKSM{author:40}26/01/31{numbers}"


def _text(field: Field, whole: str, real: str) -> str:
    if isinstance(field, str):
        return field
    return whole % field if isinstance(field, int) else real % field
