"""Traces and errors, as a collector of OpenTelemetry and a Sentry receive them."""

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.testing.running_stack import Stack, running_stack

THUMBNAIL = "content.imageFormat.thumbnailProduct"
TRACE = "0af7651916cd43dd8448eb211c80319c"
UNTRACED = "2af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


class Receiver:
    """Keeps what is sent to it, by path."""

    def __init__(self) -> None:
        self.received: list[tuple[str, bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                receiver.received.append((self.path, body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self) -> list[tuple[str, Any]]:
        """Return all spans with the names of their processes."""
        found: list[tuple[str, Any]] = []
        for path, body in self.received:
            if path == "/v1/traces":
                request = ExportTraceServiceRequest.FromString(body)
                for resource in request.resource_spans:
                    names = {each.key: each.value.string_value for each in resource.resource.attributes}
                    spans = [span for scope in resource.scope_spans for span in scope.spans]
                    found += [(names["service.name"], span) for span in spans]
        return found


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """A collector."""
    started = Receiver()
    yield started
    started.server.shutdown()
    started.server.server_close()


@pytest.fixture(scope="module")
def stack(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that sends its traces."""
    settings = {
        "IMAGECONVERTER_TRACE_ENDPOINT": f"http://127.0.0.1:{receiver.port}",
        "IMAGECONVERTER_TRACE_SHARE": "1",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    with running_stack(tmp_path_factory.mktemp("stack"), **settings) as running:
        yield running


def convert(stack: Stack, name: str, **headers: str) -> None:
    """Upload and convert an image."""
    body = {"fileName": name, "formats": [THUMBNAIL], "imageData": PIXEL}
    status, _ = stack.call("POST", "/images/upload/convert", body, **headers)
    assert status == 200


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_one_trace_leads_from_the_request_to_the_store_and_back(stack: Stack, receiver: Receiver) -> None:
    """Through queue, worker and sandbox; it continues that of the client, whose decision to sample counts."""
    convert(stack, "not-traced.png", traceparent=f"00-{UNTRACED}-b7ad6b7169203331-00")
    convert(stack, "traced.png", traceparent=PARENT)

    def spans() -> dict[bytes, tuple[str, Any]]:
        return {span.span_id: (role, span) for role, span in receiver.spans() if span.trace_id.hex() == TRACE}

    names = {"POST /admin/api/v1/images/upload/convert", "POST /images/upload/convert"}
    stack.until(lambda: any(span.name in names for _, span in spans().values()))
    stack.until(lambda: any(span.name.startswith("job ") for _, span in spans().values()))
    found = spans()

    def path(span: Any) -> list[str]:
        steps: list[str] = []
        while span.span_id in found:
            steps.insert(0, f"{found[span.span_id][0]}: {span.name}")
            if span.parent_span_id not in found:
                break
            span = found[span.parent_span_id][1]
        return steps

    paths = [path(span) for _, span in found.values()]
    request, job = "imageconverter-gateway: POST /images/upload/convert", "imageconverter-worker: job convert_source"
    assert [request, "imageconverter-gateway: store put"] in paths
    assert [request, job, "imageconverter-worker: store get"] in paths
    assert [request, job, "imageconverter-worker: sandbox convert"] in paths
    assert UNTRACED not in {span.trace_id.hex() for _, span in receiver.spans()}
    assert stack.api_key.encode() not in b"".join(body for _, body in receiver.received)


def test_the_jobs_of_a_run_refer_to_its_start(stack: Stack, receiver: Receiver) -> None:
    """By that of their plan; they have traces of their own, because there may be a million."""
    status, staged = stack.call(
        "POST", "/images/upload", {"fileName": "run.png", "formats": [THUMBNAIL], "imageData": PIXEL}
    )
    assert status == 200
    start = {
        "action": "manual",
        "source": "directory",
        "directory": staged["path"],
        "formatList": [THUMBNAIL],
    }
    trace = "1af7651916cd43dd8448eb211c80319c"
    status, _ = stack.call("POST", "/images/convert/start", start, traceparent=f"00-{trace}-b7ad6b7169203331-01")
    assert status == 200

    def linked(to: str) -> list[Any]:
        return [span for _, span in receiver.spans() if any(each.trace_id.hex() == to for each in span.links)]

    def conversions() -> list[Any]:
        planned = [span.trace_id.hex() for span in linked(trace) if span.name == "job plan_run"]
        return [span for each in planned for span in linked(each) if span.name == "job convert_run_source"]

    stack.until(conversions)
    assert trace not in {span.trace_id.hex() for span in (*linked(trace), *conversions())}


def test_without_the_packages_the_settings_are_refused(tmp_path: Path) -> None:
    """With the name of the setting and of what to install."""
    program = (
        "import sys\nsys.modules['opentelemetry'] = None\n"
        "from imageconverter.settings import ProcessSettings\nfrom services.runtime.tracing import observed\n"
        "with observed(ProcessSettings(trace_endpoint='http://127.0.0.1:9'), 'test'): pass\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "IMAGECONVERTER_TRACE_ENDPOINT: needs the extra tracing" in finished.stderr


FAILING = """
import structlog
from imageconverter.settings import ProcessSettings
from services.runtime.logs import set_up_logging
from services.runtime.tracing import observed

def fail(password):
    raise ValueError("it failed")

settings = ProcessSettings(sentry_dsn="http://public@127.0.0.1:{port}/1", log_format="json")
set_up_logging(settings, role="worker")
with observed(settings, "worker"):
    structlog.get_logger("test").info("not sent")
    try:
        fail("the " + "password")
    except ValueError:
        structlog.get_logger("test").exception("internal error", job="a-job")
import sentry_sdk
sentry_sdk.flush(5)
"""


def test_errors_reach_sentry_without_local_values(receiver: Receiver) -> None:
    """With the traceback and the release."""
    program = FAILING.replace("{port}", str(receiver.port))
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60)
    events = [body for path, body in receiver.received if path.startswith("/api/1/envelope")]

    assert any(b"it failed" in body and b'"worker"' in body for body in events)
    assert all(b"the password" not in body and b"not sent" not in body for body in events)
