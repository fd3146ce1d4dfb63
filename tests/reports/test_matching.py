"""Names of files: the database makes of them what a conversion makes of them."""

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageconverter.engine import OUTPUT_TYPES, Target
from imageconverter.engine.source_types import KEPT_AS
from imageconverter.errors import InvalidValue
from imageconverter.images.conversions import OutputSpec
from imageconverter.images.names import file_name
from imageconverter.reports.matching import could_be, define_macros, expected_names

TARGETS = [
    Target.model_validate({"max_width": 1, "max_height": 1, "output": output})
    for output in ("keep", "auto", *OUTPUT_TYPES)
]


def plain(name: str) -> bool:
    """Whether *name* may be in a catalog."""
    try:
        return file_name(name) == name
    except InvalidValue:
        return False


def long(unit: str, extension: str, size: int) -> str:
    """Return a name of just under *size* bytes."""
    return unit * ((size - len(extension)) // len(unit.encode())) + extension


extensions = st.sampled_from(["", ".", ".2025", *sorted(KEPT_AS)]).map(lambda each: each) | st.sampled_from(
    [".JPG", ".Jpeg", ".HEIC", ".PnG", ".tiF", ".p\u017fd"]
)
names = st.one_of(
    st.builds(str.__add__, st.text(alphabet="aÄß.\u017f'\"\\ 1|", min_size=0, max_size=6), extensions),
    st.builds(long, st.sampled_from(["a", "ä", "€", "😀"]), extensions, st.integers(244, 255)),
).filter(plain)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the macros."""
    with duckdb.connect() as connection:
        define_macros(connection)
        yield connection


@given(name=names, target=st.sampled_from(TARGETS))
def test_a_file_is_expected_where_the_conversion_puts_it(
    database: duckdb.DuckDBPyConnection, name: str, target: Target
) -> None:
    """By the very rules of the conversion, too long names and odd extensions included."""
    order = OutputSpec(target=target, directory="d", name=name)
    paths = [order.expected_path]
    if target.output == "auto":
        paths.append(order.path("png"))
    columns = ", ".join(f"'d/' || {macro}($name)" for macro in expected_names(target))

    assert database.execute(f"SELECT {columns}", {"name": name}).fetchall() == [tuple(paths)]


@given(name=names, target=st.sampled_from(TARGETS))
def test_what_is_expected_could_be_of_its_format_and_is_near(
    database: duckdb.DuckDBPyConnection, name: str, target: Target
) -> None:
    """However long: what a conversion makes of a name is never far from it."""
    for macro in expected_names(target):
        ((made,),) = database.execute(f"SELECT {macro}($name)", {"name": name}).fetchall()
        assert could_be(target, made)
        near = database.execute("SELECT near($made) = near($name)", {"made": made, "name": name}).fetchall()
        assert near == [(True,)]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("photo.jpg", "PHOTO.JPG", True),
        ("photo.jpg", "photo.jpeg", True),
        ("photo.tif", "Photo.png", True),
        ("photo", "photo.png", True),
        ("H\u00f6he.jpg", "H\u00d6HE.webp", True),
        ("photo.jpg", "photo2.jpg", False),
        ("photo.jpg", "photo.jpg.jpg", False),
        ("photo.jpg", "photo.2025", False),
        (".jpg", ".png", False),
    ],
)
def test_near_are_names_that_differ_in_case_and_image_extension(
    database: duckdb.DuckDBPyConnection, one: str, other: str, expected: object
) -> None:
    """And in nothing else."""
    found = database.execute("SELECT near($one) = near($other)", {"one": one, "other": other}).fetchall()

    assert found == [(expected,)]
