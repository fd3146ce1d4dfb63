"""The results as sections of docs/benchmarks.md, each between two markers, and as charts beside it."""

import os
import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.peers.chart import Bar, bar_chart
from bench.peers.encoders import SCORES, Bytes
from bench.peers.folders import Measured
from bench.peers.over_http import Served

_DOCS: Final = Path(__file__).parents[2] / "docs"
_QUESTIONS: Final = {"new": "A new preview", "cached": "A cached preview"}


def of_folders(results: Mapping[str, Sequence[Measured]], missing: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines about folders."""
    for size, measured in results.items():
        engine = measured[0]
        yield f"| {size} to four JPEGs | | images per second | CPU of an image | speed of our engine / its | memory |"
        yield "|---|---|---|---|---|---|"
        for each in sorted(measured, key=lambda each: -each.rate):
            ratio = _spread([own / other for own, other in zip(engine.rates, each.rates, strict=True)])
            cpu = _spread([1000 * seconds for seconds in each.cpu])
            yield (
                f"| {_emphasized(each.name)} | {each.label} | {_spread(each.rates)} | {cpu} ms"
                f" | {'' if each is engine else ratio} | {each.memory >> 20} MiB |"
            )
        yield ""
    yield _missing(missing)
    yield "\n![Images per second](images/peers/folders.svg)"


def of_previews(results: Mapping[str, Sequence[Served]], missing: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines about previews."""
    for question, served in results.items():
        concurrencies = sorted({each.concurrency for each in served})
        columns = " | ".join(f"by {number}: requests per second | p99" for number in concurrencies)
        yield f"| {_QUESTIONS[question]} | {columns} |"
        yield "|---|" + "---|---|" * len(concurrencies)
        by_name: dict[str, list[Served]] = {}
        for each in served:
            by_name.setdefault(each.name, []).append(each)
        for name, rows in sorted(by_name.items(), key=lambda item: -item[1][-1].rate):
            cells = (f"{_spread([load.rate for load in each.loads])} | {1000 * each.p99:.3g} ms" for each in rows)
            yield f"| {_emphasized(name)} | {' | '.join(cells)} |"
        yield ""
    yield _missing(missing)
    yield "\n![Requests per second](images/peers/previews.svg)"


def of_bytes(results: Sequence[Bytes]) -> Iterator[str]:
    """Yield the lines about bytes at equal quality."""
    columns = [(metric, score) for metric, scores in SCORES.items() for score in scores]
    yield "| encoder | " + " | ".join(f"{metric} {abs(score):g}" for metric, score in columns) + " |"
    yield "|---|" + "---|" * len(columns)
    found = {(each.encoder, each.metric, each.score): each for each in results}
    for encoder in dict.fromkeys(each.encoder for each in results):
        cells = (found.get((encoder, *column)) for column in columns)
        shares = (f"{each.share:.2f} ({each.images})" if each else "" for each in cells)
        name = encoder if encoder.startswith("sharp") else f"**{encoder}**"
        yield f"| {name} | {' | '.join(shares)} |"


def write(name: str, lines: Sequence[str]) -> None:
    """Replace the section *name* in docs/benchmarks.md."""
    path = _DOCS / "benchmarks.md"
    begin, end = f"<!-- begin: bench.peers {name} -->", f"<!-- end: bench.peers {name} -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    text = "\n".join(lines).rstrip()
    path.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def circumstances(load: float) -> str:
    """Return when and on what was measured; *load* is that of the machine before."""
    return (
        f"Measured on {time.strftime('%-d %B %Y')} on {os.cpu_count()} cores, load {load:.1f} before and"
        f" {os.getloadavg()[0]:.1f} after; medians of interleaved rounds, and their range.\n"
    )


def draw_folders(results: Mapping[str, Sequence[Measured]]) -> None:
    """Write the chart of folders."""
    _draw(
        "folders",
        {
            f"{size} to four JPEGs, images per second": [
                Bar(_in_words(each), each.rate, _is_own(each.name)) for each in measured
            ]
            for size, measured in results.items()
        },
    )


def draw_previews(results: Mapping[str, Sequence[Served]]) -> None:
    """Write the chart of previews, at the highest concurrency."""
    most = max(each.concurrency for served in results.values() for each in served)
    _draw(
        "previews",
        {
            f"{_QUESTIONS[question]}, requests per second by {most} connections": [
                Bar(each.name, each.rate, _is_own(each.name)) for each in served if each.concurrency == most
            ]
            for question, served in results.items()
        },
    )


def _draw(name: str, panels: Mapping[str, Sequence[Bar]]) -> None:
    charts = _DOCS / "images" / "peers"
    charts.mkdir(parents=True, exist_ok=True)
    (charts / f"{name}.svg").write_text(bar_chart(panels), encoding="utf-8")


def _missing(reasons: Mapping[str, str]) -> str:
    return " ".join(f"Missing: {name} ({reason})." for name, reason in reasons.items()) or "No peer was missing."


def _spread(values: Sequence[float]) -> str:
    """Return the median with the smallest and the largest value."""
    low, middle, high = (_short(value) for value in (min(values), statistics.median(values), max(values)))
    return middle if low == high else f"{middle} ({low}-{high})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else re.sub(r"\.0$", "", f"{value:.3g}")


def _in_words(measured: Measured) -> str:
    return measured.name if _is_own(measured.name) else f"{measured.name}, {measured.label}"


def _emphasized(name: str) -> str:
    return f"**{name}**" if _is_own(name) else name


def _is_own(name: str) -> bool:
    return name.startswith("imageconverter")
