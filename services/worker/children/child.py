"""The child process: takes a picture, converts it, hands the outputs back, until it is told to stop.

It is started as a fresh program, not forked: no secret, connection or thread of the worker is in its memory.
"""

import os
import signal
import socket
import sys
import warnings
from typing import Any

from imageconverter.engine import Converted, Failed, Limits, Target
from imageconverter.engine.pipeline import convert
from imageconverter.errors import PictureError
from services.worker.children import parcel
from services.worker.children.confinement import allow_cpu, confine, volunteer_for_oom

_WRONG_USE = 2


def serve(channel: socket.socket) -> None:
    """Convert one parcel after the other until the worker hangs up."""
    while True:
        try:
            header, source = parcel.receive(channel)
        except EOFError:
            return
        allow_cpu(header["seconds"])
        reply, outputs = _convert(header, source)
        answer = parcel.pack(outputs, "outputs")
        parcel.send(channel, reply, answer)
        os.close(answer)


def _convert(header: dict[str, Any], source: int) -> tuple[dict[str, Any], list[bytes]]:
    targets = [Target.model_validate(each) for each in header["targets"]]
    try:
        with os.fdopen(source, "rb") as file:
            results = convert(file, targets, Limits(pixels=header["pixels"]))
    except PictureError as error:
        return {"error": type(error).__name__, "reason": error.reason}, []
    except MemoryError:
        return {"error": "PictureTooLarge", "reason": "The picture needs more memory than is allowed."}, []
    outputs = [result.data for result in results if isinstance(result, Converted)]
    return {"results": [_describe(result) for result in results]}, outputs


def _describe(result: Converted | Failed) -> dict[str, Any]:
    if isinstance(result, Failed):
        return {"failed": result.reason}
    return {
        "bytes": len(result.data),
        "output": result.output,
        "size": result.size,
        "seconds": result.seconds,
        "warning": result.warning,
    }


def main() -> None:
    """Run as ``python -m services.worker.children.child <descriptor> <bytes of address space>``."""
    if len(sys.argv) != _WRONG_USE + 1:
        sys.exit("usage: python -m services.worker.children.child DESCRIPTOR BYTES")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker to deal with
    warnings.simplefilter("ignore")
    volunteer_for_oom()  # before: what is not dumpable may not write this of itself
    confine(int(sys.argv[2]))
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        serve(channel)


if __name__ == "__main__":
    main()
