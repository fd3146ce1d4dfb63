"""The sandbox processes: each reads an image, converts it, returns the outputs, until the worker closes the channel.

They are forked from a server that is started as a fresh program: no secret, connection or thread of the worker is in
their memory, and no image of another process.
"""

import faulthandler
import gc
import io
import os
import signal
import socket
import sys
import warnings
from collections.abc import Mapping
from traceback import walk_tb
from types import TracebackType
from typing import TYPE_CHECKING

from PIL import Image

from imageconverter.engine import Converted, Limits
from imageconverter.engine.decode import ImageInfo
from imageconverter.engine.metadata import Metadata, read_metadata
from imageconverter.engine.pipeline import convert
from imageconverter.errors import ImageError, ImageTooLarge, LimitExceeded
from services.worker.sandbox import ipc, seccomp
from services.worker.sandbox.confinement import OUTPUT_BYTES, confine, end_with_parent, raise_oom_score
from services.worker.sandbox.forking import serve_forks
from services.worker.sandbox.messages import CallRefused, Refused, Request, Response
from services.worker.sandbox.preload import preload, warm_up

if TYPE_CHECKING:
    from imageconverter.engine.facts import Facts

_ARGUMENTS = 4
_READ_AT_ONCE = 32 * 1024 * 1024  # bytes; decoders read memory faster than a file


def serve(channel: socket.socket, listener: int | None) -> None:
    """Convert one image after the other until the worker closes the *channel*; hand over the filter's *listener*."""
    ipc.send_ready(channel, listener)
    while True:
        try:
            message, source, outputs, watermarks = ipc.receive(channel)
        except EOFError:
            return
        request = Request.model_validate_json(message)
        try:
            response = _convert(request, source, outputs, _read_watermarks(request, watermarks))
        except ImageError as error:
            response = Response(outcome=Refused.because(error))
        except MemoryError:
            too_large = ImageTooLarge("The image needs more memory than is allowed.")
            response = Response(outcome=Refused.because(too_large))
        except PermissionError as error:
            response = Response(outcome=CallRefused.because(error))
        finally:
            os.close(outputs)
        channel.sendmsg([response.model_dump_json().encode()])


def _read_watermarks(request: Request, file: int | None) -> dict[str, bytes]:
    """Read the watermarks of a *request* from their memory *file*, by their paths."""
    if file is None:
        return {}
    with os.fdopen(file, "rb", io.DEFAULT_BUFFER_SIZE) as opened:
        return {path: opened.read(size) for path, size in request.watermarks.items()}


def _convert(request: Request, source: int, outputs: int, watermarks: Mapping[str, bytes]) -> Response:
    # With a size given, Python does not ask whether it is a terminal: a system call that the filter refuses.
    with os.fdopen(source, "rb", io.DEFAULT_BUFFER_SIZE) as file:
        small = os.fstat(source).st_size <= _READ_AT_ONCE
        source_file = io.BytesIO(file.read()) if small else file
        metadata: Metadata = {}
        facts: list[Facts] = []

        def on_opened(image: Image.Image, info: ImageInfo) -> None:
            if request.metadata:
                metadata.update(read_metadata(source_file, image, info))

        limits = Limits(pixels=request.pixels, truncated=request.truncated)
        results = convert(
            source_file, request.targets, limits, on_opened, watermarks, facts.append if request.facts else None
        )
    made = [result for result in results if isinstance(result, Converted)]
    parts = [data for each in made for data in (each.data, *(variant.data for variant in each.variants))]
    if sum(map(len, parts)) > OUTPUT_BYTES:
        raise LimitExceeded(f"The outputs have more than {OUTPUT_BYTES >> 20} MiB.")
    ipc.write(outputs, parts)
    return Response.of(results, metadata, next(iter(facts), None))


def _print_frames(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an uncaught exception without the lines of code: the filter refuses to read them."""
    frames = [f"{frame.f_code.co_filename}:{line} {frame.f_code.co_qualname}" for frame, line in walk_tb(trace)]
    sys.stderr.write("\n".join(["Traceback:", *frames, f"{kind.__name__}: {error}", ""]))


def main() -> None:
    """Run as ``python -m services.worker.sandbox.program DESCRIPTOR BYTES SECONDS filtered|unfiltered``."""
    if len(sys.argv) != _ARGUMENTS + 1:
        sys.exit("usage: python -m services.worker.sandbox.program DESCRIPTOR BYTES SECONDS filtered|unfiltered")
    descriptor, memory_bytes, cpu_seconds, system_calls = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker handles Ctrl-C
    end_with_parent()
    warnings.simplefilter("ignore")
    faulthandler.enable()  # prints in which decoder a crash was
    preload()
    warm_up()
    seccomp.prepare()
    server = os.getpid()

    def child(channel: socket.socket) -> None:
        raise_oom_score()  # first: a process that is not dumpable may not write this
        listener = confine(
            int(memory_bytes), cpu_seconds=int(cpu_seconds), parent=server, filtered=system_calls == "filtered"
        )
        sys.excepthook = _print_frames
        serve(channel, listener)

    # The collector would write to all objects, and each process would get a copy of all memory.
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(descriptor)) as control:
        control.sendall(ipc.READY)
        serve_forks(control, child)


if __name__ == "__main__":
    main()
