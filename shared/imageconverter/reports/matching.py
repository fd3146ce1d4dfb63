"""The names of the files expected for a name in the catalog, as macros of the database.

A converted image has the name of its source with the extension of the output type (see `OutputSpec.expected_path`):
`photo.tif` becomes `photo.jpg` in a JPEG format. `auto` makes JPEG or PNG, and either is accepted. Names are compared
in Unicode normal form C and, like URLs, case-sensitively.

A file is *near* a name if it differs only in case and image extension. It does not replace the expected file, because
its URL is another one; but while that file is missing, it is reported as a hint and not as unused.
"""

from collections.abc import Sequence
from typing import Final

from duckdb import DuckDBPyConnection

from imageconverter.engine import OUTPUT_TYPES, Target
from imageconverter.engine.source_types import KEPT_AS

_MAX_NAME_BYTES: Final = 255
_MAX_EXTENSION = max(len(kind.extensions[0]) for kind in OUTPUT_TYPES.values())


def expected_names(target: Target) -> tuple[str, ...]:
    """Return the macros that compute the names of the expected files, the most common one first."""
    if target.output == "auto":
        return "as_jpeg", "as_png"
    return (f"as_{target.output}",)


def could_be(target: Target, name: str) -> bool:
    """Return whether a file called *name* could be an output of *target*, by its extension."""
    return any(name.lower().endswith(OUTPUT_TYPES[output].extensions) for output in target.possible_outputs)


def define_macros(database: DuckDBPyConnection) -> None:
    """Define ``as_<output>(name)``, and ``near(name)``, which is equal for names that are near each other."""
    kept = {output: [end for end, kept_as in KEPT_AS.items() if kept_as == output] for output in OUTPUT_TYPES}
    macros = {
        "stem(name)": f"""
            CASE WHEN {_ends(sorted(KEPT_AS))} THEN left(name, -1 - length(split_part(name, '.', -1)))
            ELSE name END
            """,
        # As many whole characters as fit in *room* bytes.
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
    """Return the expression that corresponds to `with_extension`."""
    room = _MAX_NAME_BYTES - len(extensions[0])
    return f"CASE WHEN {_ends(extensions)} THEN name ELSE cut(stem(name), {room}) || '{extensions[0]}' END"


def _ends(extensions: Sequence[str]) -> str:
    """Return the condition that *name* is not empty before one of *extensions*, in any case."""
    spelled = ("".join(f"[{c}{c.upper()}]" if c.isalpha() else f"[{c}]" for c in each) for each in extensions)
    return f"regexp_matches(name, '(?s).(?:{'|'.join(spelled)})$')"
