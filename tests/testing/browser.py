"""What a browser shows of an image: each frame as Chromium decodes it, in a page that this process serves."""

import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from threading import Thread

import pytest
from PIL import Image

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(PROGRAM is None, reason="no Chromium")

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--force-color-profile=srgb",
)  # fmt: skip
_SECONDS = 60.0
_FRAME = struct.Struct("<III")  # width, height, milliseconds
_FOREVER = 0xFFFFFFFF
# Straight alpha is asked for; the decoder's own colors are kept, so that only the composition is compared.
_PAGE = b"""<!doctype html><script>
const MAX_FRAMES = 600;
function words(...numbers) { return new Uint8Array(new Uint32Array(numbers).buffer); }
async function decode(data, type) {
  const decoder = new ImageDecoder({data, type, premultiplyAlpha: "none", colorSpaceConversion: "none"});
  const parts = [];
  let error = "", repetitions = 0;
  try {
    await decoder.tracks.ready;
    await decoder.completed;
    const track = decoder.tracks.selectedTrack;
    repetitions = track.repetitionCount === Infinity ? 0xFFFFFFFF : track.repetitionCount;
    for (let index = 0; index < Math.min(track.frameCount, MAX_FRAMES); index++) {
      const {image} = await decoder.decode({frameIndex: index, completeFramesOnly: false});
      const pixels = new Uint8Array(image.displayWidth * image.displayHeight * 4);
      await image.copyTo(pixels, {format: "RGBA"});
      parts.push(words(image.displayWidth, image.displayHeight, Math.round((image.duration || 0) / 1000)), pixels);
      image.close();
    }
  } catch (failure) { error = String(failure); }
  return new Blob([words(repetitions, error.length), error, ...parts]);
}
(async () => {
  for (;;) {
    const job = await fetch("/job", {method: "POST"});
    if (job.status !== 200) continue;
    const answer = await decode(await job.arrayBuffer(), job.headers.get("content-type"));
    await fetch("/answer", {method: "POST", body: answer});
  }
})();
</script>"""


@dataclass(frozen=True)
class Seen:
    """What the browser made of an image."""

    frames: list[Image.Image]
    """Each as RGBA; those before an error."""
    milliseconds: list[int]
    repetitions: int | None
    """How often it is repeated after the first time; None for ever."""
    error: str
    """Empty if all frames were decoded."""


class Browser:
    """Chromium with a page that decodes what it is given."""

    def __init__(self) -> None:
        self.jobs: Queue[tuple[bytes, str]] = Queue()
        self.answers: Queue[bytes] = Queue()

    def decode(self, data: bytes, media_type: str) -> Seen:
        """Decode *data*. Raises queue.Empty if there is no answer in a minute."""
        self.jobs.put((data, media_type))
        return _parsed(self.answers.get(timeout=_SECONDS))


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Run Chromium with a new profile, and the server of its page on a free port of this machine."""
    browser = Browser()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, _PAGE, "text/html")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/answer":
                browser.answers.put(body)
                self._answer(204, b"", "text/plain")
                return
            try:
                self._answer(200, *browser.jobs.get(timeout=5))
            except Empty:
                self._answer(204, b"", "text/plain")

        def _answer(self, status: int, body: bytes, media_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            if status == 200:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with showing(Handler):
        yield browser


@contextmanager
def showing(handler: type[BaseHTTPRequestHandler]) -> Iterator[None]:
    """Run Chromium with the page that *handler* serves on a free port of loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, tempfile.TemporaryDirectory() as profile:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        command = [str(PROGRAM), *_FLAGS, f"--user-data-dir={profile}", url]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.terminate()
                process.wait(10)
                server.shutdown()


def _parsed(answer: bytes) -> Seen:
    repetitions, length = struct.unpack_from("<II", answer)
    at = 8 + length
    frames, milliseconds = [], []
    while at < len(answer):
        width, height, shown = _FRAME.unpack_from(answer, at)
        at += _FRAME.size
        frames.append(Image.frombytes("RGBA", (width, height), answer[at : at + 4 * width * height]))
        milliseconds.append(shown)
        at += 4 * width * height
    return Seen(
        frames, milliseconds, None if repetitions == _FOREVER else repetitions, answer[8 : 8 + length].decode()
    )
