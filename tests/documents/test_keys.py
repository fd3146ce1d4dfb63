"""The table of Redis keys in `imageconverter.keys` contains every key, and no other module has any."""

import re
from pathlib import Path

from imageconverter import keys

_ROOT = Path(__file__).parents[2]
_KEY = re.compile(r"b?f?\"(ic:[^\"]*)\"")


def _used() -> list[str]:
    """Return the keys in the code, with x for what varies."""
    code = Path(keys.__file__).read_text(encoding="utf-8").replace(str(keys.__doc__), "")
    return [re.sub(r"\{[^}]*\}", "x", key) for key in _KEY.findall(code)]


def _listed() -> dict[str, re.Pattern[str]]:
    """Return the keys of the table, with patterns that match them."""
    listed = re.findall(r"^    (ic:\S+)  ", str(keys.__doc__), re.MULTILINE)
    return {key: re.compile(re.sub(r"<\w+>", "[^:]*", key)) for key in listed}


def test_the_table_contains_every_redis_key() -> None:
    """An operator finds any key of a Redis there."""
    assert [key for key in _used() if not any(each.fullmatch(key) for each in _listed().values())] == []


def test_every_redis_key_of_the_table_is_used() -> None:
    """The table has no key that was renamed or removed."""
    assert [key for key, each in _listed().items() if not any(map(each.fullmatch, _used()))] == []


def test_no_other_module_has_a_redis_key() -> None:
    """They call the functions of `imageconverter.keys`."""
    files = [*(_ROOT / "services").rglob("*.py"), *(_ROOT / "shared").rglob("*.py")]
    found = [file for file in files if file != Path(keys.__file__) and _KEY.search(file.read_text(encoding="utf-8"))]

    assert found == []
