"""The results as a section of docs/benchmarks.md, between two markers, and as charts beside it."""

import os
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.peers.chart import Bar, bar_chart
from bench.peers.folders import Measured
from bench.peers.over_http import Served

_DOCS: Final = Path(__file__).parents[2] / "docs"
_BEGIN, _END = "<!-- begin: make bench-peers -->", "<!-- end: make bench-peers -->"
_QUESTIONS: Final = {"new": "A new preview", "cached": "A cached preview"}


def section(
    folders: dict[str, list[Measured]], served: dict[str, list[Served]], missing: dict[str, str], load: str
) -> str:
    """Return the section; *load* describes what else the machine did."""
    lines = [
        f"Measured on {time.strftime('%-d %B %Y')} on {len(os.sched_getaffinity(0))} cores, load {load};",
        "medians of interleaved rounds, and their range.",
        "",
    ]
    for size, measured in folders.items():
        lines += _folder_table(size, measured)
    for question, results in served.items():
        lines += _http_table(_QUESTIONS[question], results)
    lines += [f"Missing: {name} ({reason})." for name, reason in missing.items()] or ["No peer was missing."]
    lines += ["", "![Images per second](images/peers/folders.svg)"]
    lines += ["", "![Requests per second](images/peers/previews.svg)"]
    return "\n".join(lines) + "\n"


def write(text: str, folders: dict[str, list[Measured]], served: dict[str, list[Served]]) -> None:
    """Replace the section in docs/benchmarks.md, and the charts."""
    path = _DOCS / "benchmarks.md"
    before, _, rest = path.read_text(encoding="utf-8").partition(_BEGIN)
    path.write_text(f"{before}{_BEGIN}\n{text}{_END}{rest.partition(_END)[2]}", encoding="utf-8")
    charts = _DOCS / "images" / "peers"
    charts.mkdir(parents=True, exist_ok=True)
    panels = {f"{size} to four JPEGs, images per second": _folder_bars(each) for size, each in folders.items()}
    (charts / "folders.svg").write_text(bar_chart(panels), encoding="utf-8")
    most = max(each.concurrency for results in served.values() for each in results)
    panels = {
        f"{_QUESTIONS[question]}, requests per second by {most} connections": [
            Bar(each.name, each.rate, _is_own(each.name)) for each in results if each.concurrency == most
        ]
        for question, results in served.items()
    }
    (charts / "previews.svg").write_text(bar_chart(panels), encoding="utf-8")


def _folder_table(size: str, measured: Sequence[Measured]) -> Iterator[str]:
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


def _http_table(title: str, results: Sequence[Served]) -> Iterator[str]:
    concurrencies = sorted({each.concurrency for each in results})
    yield f"| {title} | " + " | ".join(f"by {number}: requests per second | p99" for number in concurrencies) + " |"
    yield "|---|" + "---|---|" * len(concurrencies)
    by_name: dict[str, list[Served]] = {}
    for each in results:
        by_name.setdefault(each.name, []).append(each)
    for name, rows in sorted(by_name.items(), key=lambda item: -item[1][-1].rate):
        cells = (f"{_spread([load.rate for load in each.loads])} | {1000 * each.p99:.3g} ms" for each in rows)
        yield f"| {_emphasized(name)} | {' | '.join(cells)} |"
    yield ""


def _spread(values: Sequence[float]) -> str:
    """Return the median with the smallest and the largest value."""
    ordered = sorted(values)
    low, middle, high = (_short(value) for value in (ordered[0], _median(ordered), ordered[-1]))
    return middle if low == high else f"{middle} ({low}-{high})"


def _median(ordered: Sequence[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else re.sub(r"\.0$", "", f"{value:.3g}")


def _folder_bars(measured: Sequence[Measured]) -> list[Bar]:
    return [Bar(_in_words(each), each.rate, _is_own(each.name)) for each in measured]


def _in_words(measured: Measured) -> str:
    return measured.name if _is_own(measured.name) else f"{measured.name}, {measured.label}"


def _emphasized(name: str) -> str:
    return f"**{name}**" if _is_own(name) else name


def _is_own(name: str) -> bool:
    return name.startswith("imageconverter")
