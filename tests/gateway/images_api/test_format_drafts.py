"""Checking a formats file that is being written, and examples of its image formats."""

import io
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from imageconverter import keys
from imageconverter.resources import Resources
from tests.conftest import ADMIN
from tests.testing import image_files
from tests.testing.runs import THUMBNAIL, Client, get, post

VALIDATE, EXAMPLE = "/images/formats/validate", "/images/formats/example"
DRAFT = """\
[[format]]
id = "square"
name = "square"
type = "product"
targetDirectory = "products/square"
maxWidth = 60
maxHeight = 60
fit = "pad"
output = "webp"
"""
SET = DRAFT.replace("maxWidth = 60\nmaxHeight = 60", "widths = [20, 40]").replace('fit = "pad"\n', "")


async def check(gateway: Client, text: str) -> Any:
    """Return the response on *text*."""
    status, response = await post(gateway, VALIDATE, {"toml": text})
    assert status == 200
    return response


async def test_formats_of_a_valid_text_are_returned(gateway: Client) -> None:
    """With a digest, and sets by their members."""
    response = await check(gateway, DRAFT + SET.replace("square", "card"))

    assert response["problems"] == []
    assert [(each["id"].rpartition(".")[2], each["box"]["maxWidth"]) for each in response["items"]] == [
        ("square", 60),
        ("card-20w", 20),
        ("card-40w", 40),
    ]
    assert len(response["digest"]) == 64


async def test_each_problem_has_its_line_and_field(gateway: Client) -> None:
    """And what is allowed; the formats before stay in effect."""
    before = await get(gateway, "/images/formats")
    response = await check(gateway, DRAFT.replace("maxWidth = 60", "maxWidth = 0").replace("fit =", "fti ="))

    assert response["items"] == []
    assert [(each["line"], each["field"]) for each in response["problems"]] == [(6, "maxWidth"), (8, "fti")]
    assert "1 to 16384" in response["problems"][0]["reason"]
    assert 'did you mean "fit"' in response["problems"][1]["reason"]
    assert await get(gateway, "/images/formats") == before


async def test_a_syntax_error_has_line_and_column(gateway: Client) -> None:
    """Of the place where something else was expected."""
    (problem,) = (await check(gateway, 'a = 1\n[[format]\nid = "a"\n'))["problems"]

    assert (problem["line"], problem["column"]) == (2, 9)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("#" * 1001, "1000 are allowed", id="long line"),
        pytest.param("a=1\n" * 17_000, "65536 are allowed", id="long text"),
        pytest.param(".".join("a" * 450) + "=1\n" + "a=1\n" * 10_000, "", id="many parts"),
        pytest.param("a = " + "[" * 990, "nested too deeply", id="deep"),
        pytest.param("[[format]]\n" * 5_900, "missing", id="empty formats"),
        pytest.param("".join(f"a{number}=1\n" for number in range(6000)), "begin with [[format]]", id="unknown keys"),
        pytest.param(DRAFT + "".join(f"a{n}=1\n" for n in range(6000)), "no such field", id="unknown fields"),
        pytest.param("\ud800", "", id="surrogate"),
        pytest.param("\0", "", id="zero"),
    ],
)
async def test_a_hostile_text_is_answered_soon(gateway: Client, text: str, reason: str) -> None:
    """With a bounded number of problems."""
    body = b'{"toml": "%s"}' % text.encode("unicode_escape").replace(b"\\x00", b"\\u0000")
    status, response = await post(gateway, VALIDATE, body)

    assert (status, response.get("items", [])) in [(200, []), (400, [])]
    if status == 200:
        assert 1 <= len(response["problems"]) <= 100
        assert reason in response["problems"][0]["reason"]


@pytest.fixture
async def source(resources: Resources) -> str:
    """The path of a source."""
    path = f"examples/{uuid4().hex}.jpg"
    await resources.store.put(keys.source(path), image_files.jpeg(size=(400, 300)), content_type="image/jpeg")
    return path


async def staged(resources: Resources) -> set[str]:
    """Return the keys of all uploads."""
    return {stored.key async for page in resources.store.list("source/upload/") for stored in page}


@pytest.mark.usefixtures("worker")
async def test_an_example_of_a_configured_format(gateway: Client, resources: Resources, source: str) -> None:
    """Its bytes are those that a conversion would store; nothing is stored."""
    before = await staged(resources)
    path = f"/images/formats/{THUMBNAIL}/example?path={source}"
    async with gateway.get(path, headers=ADMIN) as response:
        data, etag = await response.read(), response.headers["ETag"]
        assert (response.status, response.content_type) == (200, "image/jpeg")
        assert response.headers["Server-Timing"].startswith("convert;dur=")
    for known in (etag, f"W/{etag}", "*"):  # RFC 9110, 13.1.2: compared weakly
        async with gateway.get(path, headers={**ADMIN, "If-None-Match": known}) as response:
            assert response.status == 304

    assert Image.open(io.BytesIO(data)).size == (200, 150)
    assert await staged(resources) == before
    assert await resources.store.head(keys.target(f"products/thumbnail/{source.rpartition('/')[2]}")) is None


@pytest.mark.usefixtures("worker")
async def test_an_example_of_a_draft(gateway: Client, resources: Resources, source: str) -> None:
    """At the settings in the text; nothing is stored."""
    before = await staged(resources)
    body = {"toml": DRAFT, "format": "content.imageFormat.square", "path": source}
    async with gateway.post(EXAMPLE, json=body, headers=ADMIN) as response:
        data = await response.read()
        assert (response.status, response.content_type) == (200, "image/webp")

    assert Image.open(io.BytesIO(data)).size == (60, 60)
    assert await staged(resources) == before


@pytest.mark.usefixtures("worker")
async def test_an_example_has_the_watermark_as_it_is_now(gateway: Client, resources: Resources, source: str) -> None:
    """One that has changed is another example, also for a client that has the one before."""
    folder, tags = uuid4().hex, []
    toml = DRAFT.replace('"webp"', '"png"') + f'watermark = "{folder}/logo.png"\nwatermarkWidth = 1\n'
    for color in ((255, 0, 0), (0, 0, 255)):
        mark = io.BytesIO()
        Image.new("RGB", (30, 30), color).save(mark, "PNG")
        await resources.store.put(keys.source(f"{folder}/logo.png"), mark.getvalue(), content_type="image/png")
        body = {"toml": toml, "format": "content.imageFormat.square", "path": source}
        async with gateway.post(EXAMPLE, json=body, headers=ADMIN) as response:
            image = Image.open(io.BytesIO(await response.read()))
            tags.append(response.headers["ETag"])
        assert image.convert("RGB").getpixel((30, 30)) == color
    assert len(set(tags)) == 2


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"toml": "maxWidth"}, 400, "toml"),
        ({"format": "content.imageFormat.unknown"}, 400, "format"),
        ({"toml": SET}, 400, "format"),
        ({"path": "../a.png"}, 400, "path"),
        ({"path": "no/such.png"}, 404, None),
        ({"more": 1}, 400, "more"),
    ],
)
async def test_an_example_that_cannot_be_made(
    gateway: Client, source: str, changes: dict[str, Any], status: int, field: str | None
) -> None:
    """The field at fault is named."""
    body = {"toml": DRAFT, "format": "content.imageFormat.square", "path": source, **changes}
    found, response = await post(gateway, EXAMPLE, body)

    assert (found, response.get("field")) == (status, field)


async def test_an_example_of_an_unknown_format_is_not_found(gateway: Client, source: str) -> None:
    """Nor is one of an unknown source."""
    for path in (f"unknown/example?path={source}", f"{THUMBNAIL}/example?path=unknown"):
        assert (await get(gateway, f"/images/formats/{path}"))[0] == 404
    status, response = await get(gateway, f"/images/formats/{THUMBNAIL}/example")
    assert (status, response["field"]) == (400, "path")


@pytest.mark.usefixtures("worker")
async def test_a_source_that_is_no_image_gives_the_reason(gateway: Client, resources: Resources) -> None:
    """As upload/convert does."""
    await resources.store.put(keys.source("examples/text.png"), b"just text", content_type="image/png")
    status, response = await get(gateway, f"/images/formats/{THUMBNAIL}/example?path=examples/text.png")

    assert (status, response["type"]) == (503, "internalError")
