"""Clients in Python that are generated from the documents: no response is lost, and one of them works."""

import asyncio
import base64
import importlib
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pydantic.alias_generators import to_snake

from tests.conftest import API_KEY
from tests.testing import image_files
from tests.testing.node_tools import RULES
from tests.testing.openapi_document import CONTRACTS, IMAGES, Contract

pytestmark = pytest.mark.slow

EACH = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.file.stem)
THUMBNAIL = "content.imageFormat.thumbnailProduct"

Load = Callable[[str], ModuleType]


async def _generate(contract: Contract, folder: Path) -> str:
    """Generate the client of *contract* in *folder*; returns what the generator prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
        *("--config", RULES / "python.yaml", "--path", contract.file, "--output-path", folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


@EACH
async def test_the_client_has_every_response(contract: Contract, tmp_path: Path) -> None:
    """Each operation is a module that knows each status; only a form in a response is not read."""
    output = await _generate(contract, tmp_path / "generated")

    for each in contract.operations:
        module = tmp_path / "generated" / "api" / each.tag / f"{to_snake(each.id)}.py"
        found = set(re.findall(r"status_code == (\d+)", module.read_text()))
        forms = {
            key for key, response in each.responses.items() if "multipart/form-data" in response.get("content", {})
        }
        assert found == each.responses.keys() - forms, (each.id, output)


@pytest.fixture(scope="module")
async def load(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Load]:
    """A function that imports a module of the generated client of the images API."""
    folder = tmp_path_factory.mktemp("client")
    await _generate(IMAGES, folder / "generated_images")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield lambda name: importlib.import_module(f"generated_images.{name}")


@pytest.fixture
async def stranger(load: Load, gateway: TestClient[Any, Any]) -> AsyncIterator[Any]:
    """A client without a key."""
    async with load("client").Client(base_url=_address(gateway)) as client:
        yield client


@pytest.fixture
async def client(load: Load, gateway: TestClient[Any, Any]) -> AsyncIterator[Any]:
    """A client with the key of the tests."""
    async with load("client").AuthenticatedClient(base_url=_address(gateway), token=API_KEY) as client:
        yield client


def _address(gateway: TestClient[Any, Any]) -> str:
    return str(gateway.make_url("")).rstrip("/")


def _upload(load: Load, **changes: Any) -> Any:
    data = base64.b64encode(image_files.png()).decode()
    return load("models").UploadBody(**{"file_name": "a.png", "image_data": data, "formats": [THUMBNAIL], **changes})


@pytest.mark.usefixtures("worker", "no_run")
async def test_the_client_uploads_and_converts(load: Load, client: Any) -> None:
    """An upload, a run of it, the status until the run ends, and the results."""
    models = load("models")
    staged = await load("api.upload.upload_images").asyncio(client=client, body=_upload(load))
    body = models.StartBody(source=models.StartBodySource.DIRECTORY, directory=staged.path, format_list=[THUMBNAIL])
    status = await load("api.runs.start_run").asyncio(client=client, body=body)
    async with asyncio.timeout(60):
        while status.running:
            await asyncio.sleep(0.1)
            status = await load("api.runs.get_run_status").asyncio(client=client)
    page = await load("api.runs.list_run_results").asyncio(client=client)

    assert isinstance(status, models.RunState)
    assert (status.status, status.counter.success) == ("finished", 1)
    assert [(each.source, each.status) for each in page.items] == [(f"{staged.path}/a.png", "success")]


@pytest.mark.usefixtures("worker")
async def test_the_client_converts_at_once(load: Load, client: Any) -> None:
    """The result has the path of the image, which the client also gets."""
    results = await load("api.upload.upload_and_convert").asyncio(client=client, body=_upload(load))
    image = await load("api.images.get_image").asyncio(results.items[0].output, client=client)

    assert results.items[0].status == "success"
    assert image.payload.read().startswith(b"\x89PNG")


async def test_an_error_is_an_object_with_its_type(load: Load, client: Any, stranger: Any) -> None:
    """Of invalid requests, and of those without a key."""
    models, upload = load("models"), load("api.upload.upload_images")
    refused = await upload.asyncio_detailed(client=client, body=_upload(load, formats=["content.imageFormat.none"]))
    unauthorized = await upload.asyncio_detailed(client=stranger, body=_upload(load))

    assert (refused.status_code, refused.parsed.type_, refused.parsed.field) == (400, "invalidValue", "formats")
    assert (unauthorized.status_code, unauthorized.parsed.error) == (401, "Unauthorized")
    assert isinstance(refused.parsed, models.Error)
    assert isinstance(unauthorized.parsed, models.Error)


async def test_the_client_logs_in(load: Load, stranger: Any) -> None:
    """With the key, whose name the token has."""
    models = load("models")
    tokens = await load("api.login.log_in").asyncio(client=stranger, body=models.LoginBody(api_key=API_KEY))
    holder = await load("api.login.check_token").asyncio(tokens.access_token, client=stranger)

    assert isinstance(holder, models.TokenHolder)
