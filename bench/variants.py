"""Variants: bytes and quality of a product page, CPU time of making them, and the rate of serving them."""

import asyncio
import io
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import aiohttp
from PIL import Image
from ssimulacra2 import compute_ssimulacra2

from bench import cpu
from bench.corpus import photographs
from bench.load import generate_requests
from bench.servers import KEY
from bench.stack import roles, running_stack
from imageconverter.engine import Converted, OutputType, Target
from imageconverter.engine.pipeline import convert
from imageconverter.engine.target import VariantType

IMAGES: Final = 24
_SOURCE_SIDE: Final = 1600
_PAGE_SIDE: Final = 480
_SIDES: Final = (1600, 800, 400, 200)
_ROUNDS: Final = 5
_SECONDS: Final = 3.0
_CONNECTIONS: Final = 16
_ACCEPT: Final[Mapping[str, str]] = {
    "JPEG": "*/*",
    "WebP": "image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
    "AVIF": "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
}
_FORMAT: Final = """
[[format]]
id = "page"
name = "page"
type = "product"
targetDirectory = "page"
maxWidth = 480
maxHeight = 480
output = "jpeg"
variants = ["avif", "webp"]
"""


def main() -> None:
    """Measure and print."""
    sources = [_jpeg(image) for _, image in islice(photographs(_SOURCE_SIDE), IMAGES)]
    print(f"\n== variants: {len(sources)} photographs of at most {_SOURCE_SIDE} pixels")
    _print_page(sources)
    _print_cpu(sources)
    with tempfile.TemporaryDirectory() as folder:
        formats = Path(folder) / "formats.toml"
        formats.write_text(_FORMAT)
        with running_stack(IMAGECONVERTER_FORMATS_FILE=str(formats)) as (port, supervisor):
            asyncio.run(_print_rates(port, supervisor, sources))


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def _made(
    source: bytes, sides: Sequence[int], *, output: OutputType = "jpeg", variants: tuple[VariantType, ...] = ()
) -> list[Converted]:
    targets = [Target(max_width=side, max_height=side, output=output, variants=variants) for side in sides]
    return [each for each in convert(io.BytesIO(source), targets) if isinstance(each, Converted)]


def _print_page(sources: Sequence[bytes]) -> None:
    """Print the bytes that each client gets, and how they look."""
    page: dict[str, list[tuple[int, float]]] = {name: [] for name in _ACCEPT}
    kept = dict.fromkeys(_ACCEPT, 0)
    for source in sources:
        (exact,) = _made(source, [_PAGE_SIDE], output="png")
        (made,) = _made(source, [_PAGE_SIDE], variants=("avif", "webp"))
        files: dict[str, bytes] = {each.output: each.data for each in made.variants}
        for name, sent in page.items():
            data = files.get(name.lower(), made.data)
            kept[name] += data is not made.data
            sent.append((len(data), compute_ssimulacra2(io.BytesIO(exact.data), io.BytesIO(data))))
    for name, files_of in page.items():
        size = sum(size for size, _ in files_of)
        score = statistics.median(score for _, score in files_of)
        share = size / sum(size for size, _ in page["JPEG"])
        print(
            f"{name:5} page of {_PAGE_SIDE} pixels: {size / 1000:.0f} kB ({share:.2f}), "
            f"SSIMULACRA2 {score:.1f}, {kept[name]} variants"
        )


def _print_cpu(sources: Sequence[bytes]) -> None:
    """Print the CPU time for all sizes of a source."""
    for variants in ((), ("webp",), ("avif",), ("avif", "webp")):
        began = time.process_time()
        for source in sources:
            _made(source, _SIDES, variants=variants)
        seconds = (time.process_time() - began) / len(sources)
        print(f"CPU of {len(_SIDES)} sizes as {' + '.join(('jpeg', *variants))}: {seconds * 1000:.0f} ms")


async def _print_rates(port: int, supervisor: int, sources: Sequence[bytes]) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session:
        for number, source in enumerate(sources):
            query = {"fileName": f"{number}.jpg", "formats": "content.imageFormat.page"}
            async with session.post("/images/upload/convert", params=query, data=io.BytesIO(source)) as response:
                response.raise_for_status()
    gateway = cpu.descendants(roles(supervisor)["gateway"])
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in _ACCEPT}
    for _ in range(_ROUNDS):
        for name, accept in _ACCEPT.items():
            requests = cycle(
                [
                    f"GET /content/page/{number}.jpg HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n".encode()
                    for number in range(len(sources))
                ]
            )
            before = cpu.precise_seconds(gateway)
            load = await generate_requests(port, requests.__next__, seconds=_SECONDS, connections=_CONNECTIONS)
            used = cpu.precise_seconds(gateway) - before
            rates[name].append((load.rate, used / len(load.latencies)))
    for name, rounds in rates.items():
        ratio = statistics.median(rate / plain for (rate, _), (plain, _) in zip(rounds, rates["JPEG"], strict=True))
        rate, used = (statistics.median(values) for values in zip(*rounds, strict=True))
        print(f"{name:5} served: {rate:.0f} requests/s ({ratio:.2f}), {used * 1e6:.0f} µs of the gateway")
