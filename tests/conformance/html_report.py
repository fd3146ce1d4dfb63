"""One HTML file with everything inside: a table by type, and what is not right, side by side."""

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from string import Template

from tests.conformance.results import Result
from tests.conformance.verdicts import Verdict

_MAX_SHOWN = 2000
_ORDER = (Verdict.WRONG, Verdict.REFUSED_WRONGLY, Verdict.WARNED, Verdict.NOT_JUDGED, Verdict.NOT_PROMISED,
          Verdict.REFUSED_RIGHTLY)  # fmt: skip

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Conformance</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; max-width: 110em }
table { border-collapse: collapse } th, td { padding: .2em .8em; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
td.failure { background: #fdd; font-weight: bold }
article { border-top: 1px solid #bbb; padding: .6em 0 } article p { margin: .1em 0 }
figure { display: inline-block; margin: .4em 1em .4em 0; vertical-align: top; max-width: 14em }
figcaption { font-size: 13px; overflow-wrap: anywhere } code { overflow-wrap: anywhere }
</style>
<h1>Conformance</h1>
<p>$files files below $corpus, converted in sandbox processes and compared with independent readers: $readers.
Not installed: $missing.</p>
$table
<p>The slowest conversion took $slowest.</p>
$sections
</html>
""")


def render(corpus: str, results: Sequence[Result], readers: Sequence[str], missing: Sequence[str]) -> str:
    """Return the report of *results*; *readers* are the names of those that were installed, *missing* the others."""
    slowest = max(results, key=lambda each: each.seconds, default=None)
    return _PAGE.substitute(
        files=len(results),
        corpus=f"<code>{escape(corpus)}</code>",
        readers=escape(", ".join(readers)),
        missing=escape(", ".join(missing)) or "none",
        table=_table(results),
        slowest=f"{slowest.seconds:.1f} s: <code>{escape(slowest.path)}</code>" if slowest else "0 s",
        sections="".join(_section(verdict, results) for verdict in _ORDER),
    )


def counts_by_type(results: Iterable[Result]) -> dict[str, Counter[Verdict]]:
    """Count the verdicts of each source type, in alphabetical order."""
    counts: dict[str, Counter[Verdict]] = {}
    for result in results:
        counts.setdefault(result.type, Counter())[result.verdict] += 1
    return dict(sorted(counts.items()))


def _table(results: Sequence[Result]) -> str:
    counts = counts_by_type(results)
    every = {**counts, "all": sum(counts.values(), Counter())}
    head = "".join(f"<th>{escape(verdict)}" for verdict in Verdict)
    rows = "".join(
        f"<tr><td>{escape(name)}{''.join(_cell(verdict, row[verdict]) for verdict in Verdict)}<td>{row.total()}"
        for name, row in every.items()
    )
    return f"<table><tr><th>type{head}<th>files{rows}</table>"


def _cell(verdict: Verdict, count: int) -> str:
    return f"<td{' class=failure' if verdict.is_failure and count else ''}>{count or ''}"


def _section(verdict: Verdict, results: Iterable[Result]) -> str:
    """Return all that has *verdict*, what differs most first."""
    found = sorted(
        (result for result in results if result.verdict is verdict),
        key=lambda each: (-(each.difference or 0), each.type, each.path),
    )
    if not found:
        return ""
    more = f"<p>{len(found) - _MAX_SHOWN} more are not shown.</p>" if len(found) > _MAX_SHOWN else ""
    return f"<h2>{escape(verdict).capitalize()}: {len(found)}</h2>{''.join(map(_article, found[:_MAX_SHOWN]))}{more}"


def _article(result: Result) -> str:
    difference = "" if result.difference is None else f", differs by {result.difference:.1f}"
    figures = "".join(
        _figure(
            each.thumbnail,
            each.reader + ("" if each.difference is None else f": {each.difference:.1f}"),
            each.complaint,
        )
        for each in result.readers
    )
    own = _figure(result.thumbnail, "imageconverter", "") if result.thumbnail else ""
    return (
        f"<article><p><b>{escape(result.type)}</b> <code>{escape(result.path)}</code>{difference}</p>"
        f"<p>{escape(result.reason)}</p>{own}{figures}</article>"
    )


def _figure(thumbnail: str, caption: str, complaint: str) -> str:
    image = f'<img src="{thumbnail}" alt=""><br>' if thumbnail else ""
    return f"<figure>{image}<figcaption>{escape(caption)}<br>{escape(complaint)}</figcaption></figure>"
