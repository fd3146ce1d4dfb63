"""The reasons of reports, clean-ups and catalogs in the language of the reader."""

import functools
import re
from typing import Final

from services.gateway.console.languages import N_, Language

# As the core words them, with a name for what differs.
_REASONS: Final = (
    N_("There is no report yet."),
    N_("There is no catalog: upload one, or configure a source."),
    N_("There is no catalog to compare the files with."),
    N_("The catalog has changed since the last report: make a new report first."),
    N_("The catalog has changed since the clean-up began; the remaining files were not moved."),
    N_("The formats have changed during the grace period: make new reports."),
    N_("No report is at least %(days)s days older than the newest."),
    N_("%(files)s of %(total)s files are more than the allowed %(share)s %%."),
    N_("No active entry of the catalog names an image."),
    N_("The catalog has %(now)s entries, less than half of the previous %(before)s."),
    N_("The catalog has %(now)s images, less than half of the previous %(before)s."),
    N_("The scan was interrupted too often."),
    N_("The import failed too often."),
    N_("The uploaded catalog no longer exists."),
    N_("The name %(name)s is empty, only dots, or begins or ends with a space."),
    N_("The name %(name)s has a path separator or a control character."),
    N_("The name %(name)s is longer than 255 bytes."),
    N_(
        "the header must contain each of the columns id, active and images exactly once; separated by %(separator)s "
        "it has: %(columns)s."
    ),
    N_("is missing."),
    N_("is neither true nor false."),
    N_("%(value)s is neither true nor false, 1 nor 0."),
    N_("is not an array."),
    N_("is not a string."),
    N_("is not a JSON object."),
    N_("is not valid JSON encoded as UTF-8 (%(problem)s)."),
    N_("is not CSV (%(problem)s)."),
    N_("is not UTF-16."),
    N_("is not UTF-8; save it as UTF-8, in Excel as CSV UTF-8, if it is Windows-1252."),
    N_("is not a string of 1 to 255 characters without control characters."),
    N_("is longer than %(size)s KiB."),
    N_("ends within quotes."),
    N_("has %(columns)s columns separated by %(separator)s, the header has %(expected)s."),
    N_("%(id)s is already the id of line %(line)s."),
)
_SEPARATORS: Final = (N_("commas"), N_("semicolons"), N_("tabs"))


def translated(language: Language, reason: str) -> str:
    """Return *reason* in *language*, unchanged if it is none of those that are known here."""
    for message, pattern in _patterns():
        if found := pattern.fullmatch(reason):
            values = found.groupdict()
            if values.get("separator") in _SEPARATORS:
                values["separator"] = language.gettext(values["separator"])
            return language.gettext(message) % values
    return reason


@functools.cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((message, re.compile(_as_pattern(message), re.DOTALL)) for message in _REASONS)


def _as_pattern(message: str) -> str:
    parts = re.split(r"%\((\w+)\)s", message)
    names = iter(parts[1::2])
    return "".join(
        re.escape(part.replace("%%", "%")) if index % 2 == 0 else f"(?P<{next(names)}>.+?)"
        for index, part in enumerate(parts)
    )
