"""Which file a name in the catalog stands for, as macros of the database.

A converted image is called like its source but for the extension, which follows the output type (see
`OutputSpec.expected_path`): `photo.tif` is `photo.jpg` in a format that makes JPEG. `auto` makes JPEG or PNG, and
either will do. Names are compared in Unicode normal form C and, as addresses are, with their case.

A file is *near* a name where it differs in nothing but case and the extension of an image. It does not stand for the
name, for a browser that asks for one is not given the other; but while the right file is missing, it is worth a hint,
and nothing that should be thrown away.
"""

from collections.abc import Sequence
from typing import Final

from duckdb import DuckDBPyConnection

from imageconverter.engine import OUTPUT_TYPES, OutputType, Target
from imageconverter.engine.source import KEPT_AS

_MAX_NAME_BYTES: Final = 255
_MAX_EXTENSION = max(len(kind.extensions[0]) for kind in OUTPUT_TYPES.values())


def expected_names(target: Target) -> tuple[str, ...]:
    """Return the macros that make of a name the names of the files that stand for it, the usual one first."""
    if target.output == "auto":
        return "as_jpeg", "as_png"
    return (f"as_{target.output}",)


def could_be(target: Target, name: str) -> bool:
    """Whether a file called *name* could be an output of *target*, by its extension."""
    match target.output:
        case "keep":
            outputs: Sequence[OutputType] = tuple(OUTPUT_TYPES)
        case "auto":
            outputs = "jpeg", "png"
        case only:
            outputs = (only,)
    return any(name.lower().endswith(OUTPUT_TYPES[output].extensions) for output in outputs)


def define_macros(database: DuckDBPyConnection) -> None:
    """Define ``as_<output>(name)`` and ``near(name)``, the same for all names that are near each other."""
    kept = {output: [end for end, kept_as in KEPT_AS.items() if kept_as == output] for output in OUTPUT_TYPES}
    macros = {
        "stem(name)": f"""
            CASE WHEN {_ends(sorted(KEPT_AS))} THEN left(name, -1 - length(split_part(name, '.', -1)))
            ELSE name END
            """,
        # As many whole characters as *room* bytes hold.
        "cut(text, room)": """
            CASE WHEN strlen(text) <= room THEN text
            ELSE left(text, list_max(list_filter(range(room + 1), lambda n: strlen(left(text, n)) <= room))) END
            """,
        **{f"as_{output}(name)": _as_output(kind.extensions) for output, kind in OUTPUT_TYPES.items()},
        "as_keep(name)": f"""
            CASE {" ".join(f"WHEN {_ends(ends)} THEN as_{output}(name)" for output, ends in kept.items())}
            ELSE as_png(name) END
            """,
        "near(name)": f"lower(cut(stem(name), {_MAX_NAME_BYTES - _MAX_EXTENSION}))",
    }
    for macro, expression in macros.items():
        database.execute(f"CREATE MACRO {macro} AS {expression}")


def _as_output(extensions: Sequence[str]) -> str:
    """Return what `with_extension` does."""
    room = _MAX_NAME_BYTES - len(extensions[0])
    return f"CASE WHEN {_ends(extensions)} THEN name ELSE cut(stem(name), {room}) || '{extensions[0]}' END"


def _ends(extensions: Sequence[str]) -> str:
    """Return the condition that *name* has one of *extensions*, in any case, behind something else."""
    spelled = ("".join(f"[{c}{c.upper()}]" if c.isalpha() else f"[{c}]" for c in each) for each in extensions)
    return f"regexp_matches(name, '(?s).(?:{'|'.join(spelled)})$')"
