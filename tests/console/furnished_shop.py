"""A small shop with photographs, runs, a report and previews: what the console shows in screenshots."""

import hashlib
import io
import time
from pathlib import Path
from typing import Final

import skimage
from PIL import Image

from services.client import Client

_PHOTOGRAPHS: Final = Path(skimage.__file__).parent / "data"
# From scikit-image, all in the public domain or CC0; see docs/images/README.md.
SOURCES: Final = {
    "products/espresso.jpg": "coffee.png",
    "products/cat-basket.jpg": "chelsea.png",
    "products/rocket-kit.jpg": "rocket.jpg",
    "products/space-suit.jpg": "astronaut.png",
    "products/brick-wall.jpg": "brick.png",
    "products/gravel-grey.jpg": "gravel.png",
    "products/lawn.jpg": "grass.png",
    "categories/coffee.jpg": "coffee.png",
    "categories/pets.jpg": "chelsea.png",
    "summer/picnic.jpg": "grass.png",
}
_FORMATS: Final = ["content.imageFormat.normalProduct", "content.imageFormat.thumbnailProduct"]
_CATALOG: Final = b"""id,active,images
4711,true,espresso.jpg|espresso-side.jpg
4712,true,cat-basket.jpg
4713,true,rocket-kit.jpg|space-suit.jpg
4714,true,brick-wall.jpg
"""


def photograph(name: str) -> bytes:
    """Return a photograph of scikit-image as a JPEG."""
    with Image.open(_PHOTOGRAPHS / name) as image:
        data = io.BytesIO()
        image.convert("RGB").save(data, "JPEG", quality=88)
    return data.getvalue()


def furnish(server: str, key: str) -> None:
    """Bring the shop into a new stack."""
    with Client(server, key) as client:
        for path, name in SOURCES.items():
            client.sources.put(path, photograph(name))
        client.sources.put("products/scan-0815.jpg", photograph("coffee.png")[:20_000] + bytes(5_000))
        _run(client, "products", _FORMATS)
        _run(client, "categories", ["content.imageFormat.normalCategory"])
        for _ in range(2):
            client.catalogs.replace("products", _CATALOG, notation="csv")
            client.reports.start()
            while client.reports.progress()["running"]:
                time.sleep(0.1)
        for name in ("coffee.png", "chelsea.png", "rocket.jpg"):
            content = photograph(name)
            for size in ("auto:200x150~cover", "auto:800x600"):
                client.previews.get(hashlib.sha256(content).hexdigest(), size, image=content, context="mail")


def _run(client: Client, directory: str, formats: list[str]) -> None:
    for _ in client.runs.watch(client.runs.start(directory, formats, action="manual")):
        pass
