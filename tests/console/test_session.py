"""The login of the console, and who sees what."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import expect

from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from services.gateway.routes import CONSOLE, Route
from tests.conftest import API_KEY, TOKEN_SECRET, MakeSettings
from tests.console.accessibility import overflow, violations
from tests.console.conftest import Visit


async def test_the_root_leads_to_the_login_and_then_to_the_console(visit: Visit) -> None:
    """With the API key that `up` prints."""
    page = await visit("/", key=None)
    assert urlsplit(page.url).path == "/console/login"
    await page.get_by_label("API key").fill(API_KEY)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url("**/console/")

    cookies = {each["name"]: each for each in await page.context.cookies()}
    assert all(each["httpOnly"] and each["sameSite"] == "Strict" for each in cookies.values())
    assert {"accessToken", "refreshToken"} <= set(cookies)
    assert API_KEY not in await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")


async def test_the_key_in_a_fragment_logs_in_and_leaves_the_address(visit: Visit) -> None:
    """As in the link that `up` prints; a fragment is not sent to the server."""
    page = await visit(f"/console/login#key={API_KEY}", key=None)
    await page.wait_for_url("**/console/")
    assert API_KEY not in page.url
    await page.go_back()
    assert API_KEY not in page.url


async def test_another_site_cannot_log_in_its_visitors(visit: Visit) -> None:
    """With a key of its own, so that what they upload is not theirs: they have to press the button."""
    page = await visit("/docs", key=None)
    address = urlsplit(page.url)
    elsewhere = "http://other.test/"
    link = f'<a rel="noreferrer" href="{address.scheme}://{address.netloc}/console/login#key={API_KEY}">x</a>'
    await page.route(elsewhere, lambda route: route.fulfill(body=link, content_type="text/html"))
    await page.goto(elsewhere)
    await page.get_by_role("link").click()
    await expect(page.get_by_label("API key")).to_have_value(API_KEY)

    assert "#" not in page.url
    assert await page.context.cookies() == []
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url("**/console/")


async def test_a_wrong_key_is_reported_beside_the_field(visit: Visit) -> None:
    """And the field can be filled in again."""
    page = await visit("/console/login", key=None, language="de")
    await page.get_by_label("API-Schlüssel").fill("wrong")
    await page.get_by_role("button", name="Anmelden").first.click()

    await page.get_by_text("Diese Zugangsdaten sind nicht gültig.").wait_for()
    assert await violations(page) == []


async def test_an_expired_login_is_renewed_or_leads_back_after_a_new_one(visit: Visit) -> None:
    """With the refresh token in its cookie; without it, by the login."""
    page = await visit()
    await page.context.clear_cookies(name="accessToken")
    await page.goto("/console/")
    assert urlsplit(page.url).path == "/console/"

    await page.context.clear_cookies()
    await page.goto("/console/?from=test")
    assert urlsplit(page.url).path == "/console/login"
    await page.get_by_label("API key").fill(API_KEY)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/?from=test")


async def test_a_request_of_a_script_renews_the_login_or_asks_for_it(visit: Visit) -> None:
    """Without leaving the page."""
    page = await visit()
    module = re.sub(
        r"console\.js$", "api.js", await page.locator("script[src$='console.js']").get_attribute("src") or ""
    )
    call = f"async () => (await (await import('{module}')).requestJson('/admin/api/v1/images/formats')).items.length"
    await page.context.clear_cookies(name="accessToken")
    assert await page.evaluate(call) > 0

    await page.context.clear_cookies()
    await page.evaluate(f"() => {{ window.answer = ({call})() }}")
    await page.get_by_role("dialog").get_by_label("API key").fill(API_KEY)
    assert await violations(page) == []
    await page.get_by_role("dialog").get_by_role("button", name="Log in").click()
    assert await page.evaluate("window.answer") > 0


async def test_logging_out_ends_the_login(visit: Visit) -> None:
    """The cookies are gone, and the refresh token cannot be used again."""
    page = await visit()
    cookies = await page.context.cookies()
    await page.locator("summary", has_text="admin").click()
    await page.get_by_role("button", name="Log out").click()
    await page.wait_for_url("**/console/login")
    assert await page.context.cookies() == []

    await page.context.add_cookies([each for each in cookies if each["name"] == "refreshToken"])  # type: ignore[misc]
    await page.goto("/console/")
    assert urlsplit(page.url).path == "/console/login"


@pytest.mark.parametrize("route", CONSOLE, ids=lambda route: route.path)
async def test_no_page_is_shown_without_a_login(gateway: TestClient[Any, Any], route: Route) -> None:
    """It leads to the login, which leads back to it; a fragment of it is refused."""
    path = re.sub(r"\{.*?\}", "0123456789ab", route.path)
    response = await gateway.get(path, allow_redirects=False)
    fragment = await gateway.get(path, headers={"HX-Request": "true"}, allow_redirects=False)

    assert not route.requires.is_public
    assert response.status == 303
    assert response.headers["Location"].startswith("/console/login")
    assert fragment.status == 401


@pytest.mark.parametrize("path", ["/docs", "/docs/examples", "/console/login", "/console/health"])
@pytest.mark.parametrize("target", ["content", "title", "nothing"])
async def test_a_request_for_no_fragment_gets_the_page(gateway: TestClient[Any, Any], path: str, target: str) -> None:
    """Also of a stranger, who could fill the log with tracebacks otherwise."""
    headers = {"HX-Target": target, "Authorization": f"Bearer {API_KEY}"}
    response = await gateway.get(path, headers=headers)

    assert response.status == 200
    assert (await response.text()).startswith("<!DOCTYPE html>")


async def test_what_a_key_may_not_do_is_not_offered(
    visit: Visit, make_settings: MakeSettings, resources: Resources, tmp_path: Any
) -> None:
    """The page of the console is refused with the missing permission, and is not in the navigation."""
    file = tmp_path / "keys.toml"
    file.write_text(key_entry("reader", "key-of-reader", ["images.read"]))
    settings = make_settings(gateway=GatewaySettings(api_key=API_KEY, api_keys_file=file, token_secret=TOKEN_SECRET))
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        page = await visit("/console/", key="key-of-reader", base=str(client.make_url("/")))
        assert "images.publish" in await page.inner_text("main")
        assert await page.get_by_role("navigation").get_by_role("link", name="Convert").count() == 0


async def test_other_sites_cannot_use_the_login(gateway: TestClient[Any, Any]) -> None:
    """Neither to renew it nor to be led to by it."""
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://other.example"}):
        assert (await gateway.post("/admin/api/v1/login/refresh", headers=headers)).status == 401
    for following in (
        "https://other.example/",
        "//other.example/",
        "/\\other.example",
        "/console/login?next=x",
        "/x",
        "/console/../imageconverter/clearImages",
        "/console/%2e%2e/imageconverter/clearImages",
        "/docs/..",
    ):
        response = await gateway.get(
            "/console/preferences", params={"theme": "dark", "next": following}, allow_redirects=False
        )
        assert response.headers["Location"] == "/console/"


async def test_pages_may_load_nothing_from_elsewhere_and_run_nothing_inline(gateway: TestClient[Any, Any]) -> None:
    """By their policy."""
    response = await gateway.get("/console/login")
    policy = dict(each.split(" ", 1) for each in response.headers["Content-Security-Policy"].split("; "))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    text = await response.text()
    assert re.findall(r'<script(?! type="module" src="/)(?! type="application/json")', text) == []
    assert re.findall(r"\s(style|on\w+)=", text) == []


@pytest.mark.parametrize("width", [390, 1280, 2560])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "de"])
async def test_the_login_can_be_used_by_everybody(visit: Visit, width: int, theme: str, language: str) -> None:
    """At each width, in both themes and languages."""
    page = await visit("/console/login", key=None, width=width, theme=theme, language=language)
    assert await violations(page) == []
    assert await overflow(page) == []


async def test_language_and_theme_can_be_chosen(visit: Visit) -> None:
    """And are kept."""
    page = await visit("/console/")
    assert await page.get_by_role("heading", level=1).inner_text() == "Convert images"
    await page.get_by_label("Appearance and language").click()
    await page.get_by_role("link", name="Deutsch").click()
    assert await page.get_by_role("heading", level=1).inner_text() == "Bilder konvertieren"
    await page.get_by_label("Darstellung und Sprache").click()
    await page.get_by_role("link", name="Dunkel").click()
    await page.goto("/console/")

    assert await page.get_attribute("html", "lang") == "de"
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 27)"


async def test_a_link_can_store_nothing_but_a_language_and_a_theme(gateway: TestClient[Any, Any]) -> None:
    """Of those that there are."""
    parameters = {"language": "de", "theme": "x; a=b", "next": "/console/images?directory=a/.b"}
    response = await gateway.get("/console/preferences", params=parameters, allow_redirects=False)

    assert response.headers.getall("Set-Cookie")[0].startswith("language=de;")
    assert len(response.headers.getall("Set-Cookie")) == 1
    assert response.headers["Location"] == parameters["next"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("de", "de"), ("de-AT,de;q=0.9,en;q=0.5", "de"), ("en-US,en;q=0.9,de;q=0.8", "en"), ("fr,de;q=0.4", "de"),
        ("fr", "en"), ("", "en"), ("de;q=0", "en"), ("x;q=a,;,de;q=0.1", "de"), ("*", "en"), ("🙂,\u2028", "en"),
    ],
)  # fmt: skip
async def test_the_language_is_the_one_that_the_browser_prefers(
    gateway: TestClient[Any, Any], header: str, expected: str
) -> None:
    """Among those that there are; English otherwise."""
    gateway.session.cookie_jar.clear()  # which another test may have made choose a language
    value = header.encode().decode("latin-1")
    response = await gateway.get("/console/login", headers={"Accept-Language": value})
    assert f'<html lang="{expected}"' in await response.text()


async def test_assets_are_kept_by_browsers_and_compressed(gateway: TestClient[Any, Any]) -> None:
    """Their addresses change with their content; what another release has named is not kept."""
    text = await (await gateway.get("/console/login")).text()
    address = re.search(r'href="(/console/assets/[0-9a-f]+/console\.css)"', text)
    assert address is not None
    response = await gateway.get(address[1], headers={"Accept-Encoding": "gzip"})
    plain = await gateway.get(address[1], headers={"Accept-Encoding": "identity"})
    stale = await gateway.get("/console/assets/000000000000/console.css")

    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert await response.read() == await plain.read() == await stale.read()
    assert stale.headers["Cache-Control"] == "no-store"
    for name in ("../assets.py", "%2e%2e/assets.py", "nothing.js", "vendor/vendored.toml", "vendor"):
        assert (await gateway.get(f"/console/assets/0/{name}")).status == 404
