"""What a browser shows: the pixels of images as Chromium draws them on a canvas in sRGB."""

import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from threading import Event

from PIL import Image

from tests.testing.browser import showing

_SECONDS = 120
_PAGE = b"""<!doctype html><script>
async function pixels(name) {
  const image = new Image();
  image.src = "/files/" + name;
  await image.decode();
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d", {colorSpace: "srgb", willReadFrequently: true});
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
(async () => {
  for (const name of await (await fetch("/names")).json()) {
    try {
      const {width, height, data} = await pixels(name);
      await fetch(`/pixels/${name}/${width}/${height}`, {method: "POST", body: data});
    } catch (error) { console.log(error); }
  }
  await fetch("/done", {method: "POST"});
})();
</script>"""


def drawn_by_browser(files: Mapping[str, bytes]) -> dict[str, Image.Image]:
    """Return the RGBA pixels of the *files* that Chromium can show, by their names; names consist of letters.

    Raises TimeoutError if it takes more than two minutes.
    """
    drawn: dict[str, Image.Image] = {}
    done = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, _, name = self.path[1:].partition("/")
            if kind == "files":
                self._answer(files[name], "application/octet-stream")
            else:
                self._answer(json.dumps(list(files)).encode() if kind == "names" else _PAGE, "text/html")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/done":
                done.set()
            else:
                _, _, name, width, height = self.path.split("/")
                drawn[name] = Image.frombytes("RGBA", (int(width), int(height)), body)
            self._answer(b"", "text/plain")

        def _answer(self, body: bytes, media_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with showing(Handler):
        in_time = done.wait(_SECONDS)
    if not in_time:
        raise TimeoutError("Chromium did not finish")
    return drawn
