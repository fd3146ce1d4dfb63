"""Read an image as Chromium shows it in sRGB: ``python chromium.py SOURCE OUTPUT.png``."""

import base64
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# An image from a data URL may be read back from the canvas; `decode` fails if it is broken.
_PAGE = """<!doctype html><img src="data:image/{kind};base64,{data}"><script>
addEventListener("load", () => {{
  const image = document.querySelector("img"), canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  canvas.getContext("2d").drawImage(image, 0, 0);
  document.body.textContent = canvas.toDataURL();
}});
</script>"""
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--force-color-profile=srgb"),
)


def read(source: Path, output: Path) -> str:
    """Write *source* as a PNG to *output*; returns what Chromium could not do, or ""."""
    kind = source.suffix.lstrip(".").replace("jpg", "jpeg")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(_PAGE.format(kind=kind, data=base64.b64encode(source.read_bytes()).decode()))
        command = ["chromium", *_OPTIONS, f"--user-data-dir={folder}/profile", "--dump-dom", page.as_uri()]
        document = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    encoded = re.search(r"data:image/png;base64,([\w+/=]+)</body>", document)
    if encoded is None:
        return "The image is not shown."
    output.write_bytes(base64.b64decode(encoded[1]))
    return ""


if __name__ == "__main__":
    sys.exit(read(*map(Path, sys.argv[1:])) or 0)
