"""Webhooks go to public addresses only, unless a setting allows others."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from imageconverter.settings import SettingsError, WebhookSettings
from imageconverter.webhooks import Delivery
from services.reporter.webhooks import Endpoint, webhook_endpoints
from services.reporter.webhooks.attempt import Outcome, open_attempts
from tests.testing.feeds import Names, raw
from tests.testing.webhook_receiver import SECRET, receiving

DELIVERY = Delivery(id="msg_1", type="run.finished", at=0, body="{}")
REFUSED = "is not on the public internet and not among the private hosts."


def endpoint(url: str) -> Endpoint:
    """Return the endpoint at *url*."""
    (found,) = webhook_endpoints(WebhookSettings(urls=SecretStr(url), secret=SecretStr(SECRET)))
    return found


async def sent(url: str, *, private_hosts: tuple[str, ...] = (), names: Names | None = None) -> Outcome:
    """Send a webhook to *url*."""
    async with open_attempts(private_hosts, 5, resolver=names) as attempts:
        return await attempts.send(endpoint(url), DELIVERY)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f000001", "017700000001", "2130706433", "localhost"])
async def test_a_private_address_is_refused_in_every_notation(host: str) -> None:
    """Before anything is sent."""
    async with receiving() as receiver:
        outcome = await sent(receiver.url.replace("127.0.0.1", host))

    assert (outcome.response, outcome.error.endswith(REFUSED)) == (0, True)
    assert receiver.received == []


async def test_a_name_with_a_private_address_is_refused() -> None:
    """The address that is connected to is the one that is checked."""
    async with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "hooks.example.com")
        outcome = await sent(url, names=Names({"hooks.example.com": [["127.0.0.1"]]}))

    assert outcome.error.endswith(REFUSED)
    assert receiver.received == []


async def test_a_name_that_is_allowed_may_have_a_private_address() -> None:
    """As for feeds."""
    async with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "hooks.internal")
        names = Names({"hooks.internal": [["127.0.0.1"]]})
        outcome = await sent(url, private_hosts=("hooks.internal",), names=names)

    assert outcome == (204, "")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure(status: int) -> None:
    """It is not followed, so that it leads nowhere."""
    async with receiving() as inside:

        async def redirect(_: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": inside.url})

        app = web.Application()
        app.router.add_post("/", redirect)
        async with TestServer(app, host="127.0.0.1") as server:
            outcome = await sent(str(server.make_url("/")), private_hosts=("127.0.0.1",))

    assert outcome == (status, f"The response has status {status}.")
    assert inside.received == []


async def test_an_endless_response_is_not_read() -> None:
    """The status counts, and the connection is closed."""
    async with raw(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000, stay=True) as url:
        async with asyncio.timeout(4):
            assert await sent(url, private_hosts=("127.0.0.1",)) == (200, "")


@pytest.mark.parametrize("answer", [b"", b"\x00\xff\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n"])
async def test_what_is_not_http_is_a_failure(answer: bytes) -> None:
    """The error has no text of the other side."""
    async with raw(answer) as url:
        outcome = await sent(url, private_hosts=("127.0.0.1",))

    assert outcome.response == 0
    assert outcome.error.startswith("The endpoint cannot be reached (")


@pytest.mark.parametrize("url", ["ftp://example.com", "example.com/hooks", "https://", "http://[::1", "https://a b/"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """When the reporter starts, without the address in the message, which may contain a token."""
    with pytest.raises(SettingsError, match=r"^IMAGECONVERTER_WEBHOOK_URLS: ") as raised:
        endpoint(url)
    assert url == "https://" or url not in str(raised.value)


def test_an_unknown_event_and_a_missing_secret_are_refused() -> None:
    """When the reporter starts."""
    urls = SecretStr("https://example.com/hooks")
    with pytest.raises(SettingsError, match=r"^IMAGECONVERTER_WEBHOOK_EVENTS: must be some of run\.finished, "):
        webhook_endpoints(WebhookSettings(urls=urls, secret=SecretStr(SECRET), events="run.started"))
    with pytest.raises(SettingsError, match=r"^IMAGECONVERTER_WEBHOOK_SECRET: must be set"):
        webhook_endpoints(WebhookSettings(urls=urls))


def test_nothing_of_an_address_but_its_origin_is_shown() -> None:
    """The rest may be a secret."""
    found = endpoint("https://user:password@example.com:8443/T0/B1/token?key=1")

    assert found.record.origin == "https://example.com:8443"
    for secret in ("password", "token", "key"):
        assert secret not in repr(found)
