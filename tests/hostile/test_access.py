"""Group H of the catalog: access, and what an intruder could reach."""

import asyncio
import base64
import hmac
import pickle
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError

from imageconverter import keys
from imageconverter.images.conversions import TASK
from imageconverter.jobs import QueueName, QueueWorker
from imageconverter.jobs.queue_name import job_key
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings, WorkerSettings
from services.gateway.app import create_app
from services.worker.client_jobs import ClientJobs
from services.worker.conversion_executor import ConversionExecutor
from services.worker.sandbox.pool import SandboxPool
from services.worker.tasks import _Interactive
from tests.conftest import ADMIN, API_KEY, TOKEN_SECRET, MakeSettings
from tests.gateway.images_api.test_uploads import body, post
from tests.hostile.case import Case, names
from tests.hostile.wire import Wire

Client = TestClient[Any, Any]

pytestmark = pytest.mark.usefixtures("no_failures")

LOGIN = "/admin/api/v1/login"
PASSWORD = "p\u00e4ssw\u00f6rd"
USER = "boss@shop.example"


@pytest.fixture
async def guarded(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[Client]:
    """A gateway with a password that is not ASCII."""
    gateway = GatewaySettings(api_key=API_KEY, admin_user=USER, admin_password=PASSWORD, token_secret=TOKEN_SECRET)
    async with TestClient(TestServer(create_app(make_settings(gateway=gateway), resources))) as client:
        yield client


def basic(text: bytes) -> str:
    """Return an Authorization header with credentials."""
    return f"Basic {base64.b64encode(text).decode()}"


RIGHT = basic(f"{USER}:{PASSWORD}".encode())

HEADERS: list[Case[str, int]] = [
    Case(232, "nothing", "", 401),
    Case(232, "Basic alone", "Basic", 401),
    Case(232, "no base64", "Basic !!!", 401),
    Case(232, "no padding", "Basic YQ", 401),
    Case(232, "no colon", basic(b"boss"), 401),
    Case(232, "bytes that are no text", basic(b"\xff\xfe:\xff"), 401),
    Case(232, "a key of the other API", f"Bearer {API_KEY}", 401),
    Case(232, "two of them", f"{RIGHT}, {RIGHT}", 401),
    Case(233, "the password", RIGHT, 200),
    Case(233, "the password in another encoding", basic(f"{USER}:{PASSWORD}".encode("latin-1")), 401),
    Case(233, "the password with its marks apart", basic(f"{USER}:pa\u0308sswo\u0308rd".encode()), 401),
    Case(235, "a password of 6 KB", basic(b"boss:" + b"x" * 6000), 401),
    *(Case(237, f"the scheme {scheme!r}", RIGHT.replace("Basic", scheme), 200) for scheme in ("basic", "BASIC",
         "bAsIc")),
    Case(237, "spaces around it", RIGHT.replace(" ", "   ") + "  ", 200),
    Case(237, "a tab between", RIGHT.replace(" ", "\t"), 401),
]  # fmt: skip


@pytest.mark.parametrize("case", HEADERS, ids=names(HEADERS))
async def test_authorization_headers_are_parsed_strictly(guarded: Client, case: Case[str, int]) -> None:
    """An invalid one is a 401 with a challenge."""
    async with guarded.get("/imageconverter/getKeys", headers={"Authorization": case.attack}) as response:
        assert response.status == case.expected
        assert ("WWW-Authenticate" in response.headers) == (case.expected == 401)


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "bearer \u00fc", "Bearer " + "x" * 6000, "Bearer a.b", "Bearer a.b.c", "Bearer ."]
)
async def test_232_an_invalid_bearer_token_is_unauthorized(guarded: Client, header: str) -> None:
    """401 with a challenge."""
    async with guarded.get("/images/convert/status", headers={"Authorization": header}) as response:
        assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    ("user", "password"),
    [(USER, "wrong"), ("other", PASSWORD), ("other", "wrong"), ("", ""), ("x" * 6000, "x" * 6000)],
)
async def test_234_user_and_password_are_compared_in_constant_time(
    guarded: Client, monkeypatch: pytest.MonkeyPatch, user: str, password: str
) -> None:
    """One digest of both is compared, so that it makes no difference which one is wrong."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(first: bytes, second: bytes) -> bool:
        compared.append((first, second))
        return real(first, second)

    real = hmac.compare_digest
    monkeypatch.setattr("services.gateway.auth.administrator.hmac.compare_digest", compare)
    async with guarded.post(LOGIN, json={"email": user, "password": password}) as response:
        assert response.status == 401
    assert len(compared) == 1
    assert {len(each) for pair in compared for each in pair} == {32}


async def test_236_password_guessing_is_rate_limited(guarded: Client) -> None:
    """First 401, then 429 with Retry-After."""
    seen = []
    for number in range(60):
        async with guarded.post(
            LOGIN, json={"email": f"{uuid4()}@x.example", "password": f"wrong {number}"}
        ) as response:
            seen.append((response.status, response.headers.get("Retry-After", "")))

    assert seen[0] == (401, "")
    assert seen[-1][0] == 429
    assert int(seen[-1][1]) > 0


FORGED: list[Case[dict[str, str], None]] = [
    Case(239, "a form of another site", {"Content-Type": "application/x-www-form-urlencoded",
         "Origin": "http://evil.example"}, None),
    Case(239, "a text of another site", {"Content-Type": "text/plain", "Origin": "http://evil.example",
         "Sec-Fetch-Site": "cross-site"}, None),
    Case(239, "a page of no site", {"Origin": "null"}, None),
]  # fmt: skip


@pytest.mark.parametrize("case", FORGED, ids=names(FORGED))
async def test_cross_site_requests_are_unauthorized(guarded: Client, case: Case[dict[str, str], None]) -> None:
    """Browsers do not send the cookies with cross-site requests."""
    for method, path in (
        ("POST", "/images/convert/start"),
        ("DELETE", "/images/upload/products/a.png"),
        ("POST", "/images/directories/target"),
        ("POST", "/imageconverter/clearImages"),
    ):
        async with guarded.request(method, path, data=b"{}", headers=case.attack) as response:
            assert response.status == 401
    async with guarded.post(f"{LOGIN}?setCookie", json={"apiKey": API_KEY}) as response:
        assert all(each["samesite"] == "Strict" and each["httponly"] for each in response.cookies.values())


@pytest.mark.parametrize(
    "path", ["/images/upload", "/images/convert/start", LOGIN, "/imageconverter/clearImages", "/content/a.png"]
)
async def test_240_there_are_no_cors_headers(guarded: Client, path: str) -> None:
    """A preflight response allows no origin."""
    asked = {
        "Origin": "http://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    for method in ("OPTIONS", "GET"):
        async with guarded.request(method, path, headers=asked) as response:
            assert not [name for name in response.headers if name.lower().startswith("access-control-")]
            assert response.status in ((204,) if method == "OPTIONS" else (200, 401, 404, 405))


@pytest.mark.parametrize(
    "command", ["PING", "FLUSHALL", "KEYS *", "CONFIG GET *", "DEBUG SLEEP 1", "EVAL return(1) 0"]
)
async def test_242_redis_requires_its_password(servers: dict[str, str], command: str) -> None:
    """Not even PING."""
    address = urlsplit(servers["IMAGECONVERTER_REDIS_URL"])
    redis = Redis(host=str(address.hostname), port=address.port or 0)
    try:
        with pytest.raises((AuthenticationError, RedisError), match="uthenticat"):
            await redis.execute_command(*command.split())  # type: ignore[no-untyped-call]
    finally:
        await redis.aclose()


class Owned:
    """Code that would run if it were unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('owned')",)


POISON: list[Case[bytes, None]] = [
    Case(243, "a program of Python", pickle.dumps(Owned()), None),
    Case(243, "nothing", b"", None),
    Case(243, "no JSON", b"\xff\xfe{", None),
    Case(243, "an array", b"[]", None),
    Case(243, "null", b"null", None),
    Case(243, "an unknown task", b'{"t":null,"f":"os.system","a":["id"],"k":{},"et":0}', None),
    Case(243, "a task without its argument", b'{"t":null,"f":"convert_source","a":[],"k":{},"et":0}', None),
    Case(243, "a task with a wrong argument",
         b'{"t":null,"f":"convert_source","a":[{"id":1,"outputs":"x"}],"k":{},"et":0}', None),
    Case(243, "a task with named arguments", b'{"t":null,"f":"convert_source","a":[],"k":{"self":1},"et":0}', None),
    Case(243, "a megabyte", b'{"t":null,"f":"convert_source","a":["' + b"x" * 1_000_000 + b'"],"k":{},"et":0}', None),
    Case(243, "arrays within arrays", b"[" * 100_000, None),
    Case(243, "a run that there is not",
         b'{"t":null,"f":"convert_source","a":[{"id":"a","source_key":"../a","outputs":[]}],"k":{},"et":0}', None),
]  # fmt: skip


@pytest.mark.parametrize("case", POISON, ids=names(POISON))
async def test_an_invalid_job_does_not_stop_the_worker(resources: Resources, case: Case[bytes, None]) -> None:
    """It is removed from the queue, and the next job is processed."""
    queue, done = resources.queue, asyncio.Event()
    clients = ClientJobs(queue, QueueName.INTERACTIVE, max_expensive=1)
    children = SandboxPool(WorkerSettings(children=1), max_pixels=1)  # never starts, because no job reaches it

    async def task(_context: Mapping[str, Any], _payload: Mapping[str, Any]) -> None:
        done.set()

    tasks = {"task": task, TASK: _Interactive(clients, ConversionExecutor(resources.store, children, 1)).convert}
    await resources.redis.delete(keys.queue(QueueName.SCAN))
    poisoned = f"poison {uuid4().hex}"
    await resources.redis.set(job_key(poisoned), case.attack, px=60_000)
    await resources.redis.zadd(keys.queue(QueueName.SCAN), {poisoned: int(time.time() * 1000) - 1000})
    worker = QueueWorker(QueueName.SCAN, tasks, resources.redis, slots=1, job_seconds=5)
    running = asyncio.create_task(worker.main())
    await queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {})
    try:
        async with asyncio.timeout(10):
            while not running.done() and (await queue.depth(QueueName.SCAN) or not done.is_set()):
                await asyncio.sleep(0.02)
        assert not running.done(), running.exception()
        assert done.is_set()
    finally:
        await worker.drain(5)
        await asyncio.gather(running, return_exceptions=True)
        await resources.redis.delete(keys.queue(QueueName.SCAN), job_key(poisoned))


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "tests"), ("GET", "tests?list-type=2"), ("PUT",
"tests/target/owned.html"),
                                              ("DELETE", "tests/source/a"), ("PUT", "owned"), ("POST",
                                              "tests?delete"), ("GET", "tests/target/a")])  # fmt: skip
async def test_244_the_store_rejects_unsigned_requests(
    servers: dict[str, str], resources: Resources, method: str, path: str
) -> None:
    """An unsigned request is a 403."""
    await resources.store.put("target/a", b"x", content_type="image/png")
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            method, f"{servers['IMAGECONVERTER_S3_ENDPOINT']}/{path}", data=b"" if method == "GET" else b"x"
        ) as response,
    ):
        assert response.status == 403


ADDRESSES = ["http://127.0.0.1/", "http://[::1]/", "http://0.0.0.0/", "http://169.254.169.254/latest/",
"http://2130706433/", "http://0177.0.0.1/",
             "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "//evil.example/a.png"]  # fmt: skip


FIELDS: list[Case[str, None]] = [
    *(Case(247, f"in {field}", field, None) for field in ("url", "imageUrl", "source")),
    *(Case(249, f"in {field}", field, None) for field in ("callback", "webhook", "notify")),
]  # fmt: skip


@pytest.mark.parametrize("case", FIELDS, ids=names(FIELDS))
async def test_no_body_accepts_a_url(gateway: Client, case: Case[str, None]) -> None:
    """The server never sends a request on behalf of a client."""
    for address in ADDRESSES:
        status, response = await post(gateway, "/images/upload", {**body(), case.attack: address})
        assert (status, response["type"]) == (400, "unknownDataField")
        status, response = await post(gateway, "/images/upload", body(imageData=address))
        assert (status, response["type"]) == (400, "invalidValue")


@pytest.mark.parametrize(
    "path",
    ["/metrics", "/health/live", "/health/ready", "/imageconverter/status?metrics=yes", "/openapi/images.yaml"],
)
async def test_248_public_responses_contain_no_secret(wire: Wire, servers: dict[str, str], path: str) -> None:
    """No key, password or server address."""
    response = await wire.get(path)
    secrets = [
        API_KEY,
        "a-password-for-tests",
        "redis-password",
        "secret-of-s3",
        servers["IMAGECONVERTER_S3_ENDPOINT"].removeprefix("http://"),
    ]

    assert response.status in (200, 503)
    assert response.body
    assert not [each for each in secrets if each.encode() in response.body]


@pytest.mark.parametrize("hours", [-1, 1])
async def test_251_a_clock_jump_only_expires_tokens(
    gateway: Client, resources: Resources, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """By an hour, backward or forward; jobs use the clock of Redis."""
    _, response = await post(gateway, LOGIN, {"apiKey": API_KEY})
    real = time.time
    monkeypatch.setattr("services.gateway.auth.tokens.time.time", lambda: real() + hours * 3600)
    async with gateway.get(
        "/images/convert/status", headers={"Authorization": f"Bearer {response['accessToken']}"}
    ) as response:
        assert response.status == (200 if hours < 0 else 401)
    job = uuid4().hex
    await resources.redis.delete(keys.queue(QueueName.SCAN))
    await resources.queue.enqueue(QueueName.SCAN, "task", job, {})
    score = await resources.redis.zscore(keys.queue(QueueName.SCAN), job)
    await resources.redis.delete(keys.queue(QueueName.SCAN), job_key(job))
    assert abs(score / 1000 - real()) < 60
    async with gateway.get("/images/convert/status", headers=ADMIN) as response:
        assert response.status == 200
