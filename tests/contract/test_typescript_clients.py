"""Clients in TypeScript that are generated from the documents: they compile, and no response is lost."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.testing.node_tools import RULES, run_node_tool
from tests.testing.openapi_document import CONTRACTS, Contract

EACH = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.file.stem)

# True if both types are the same, and neither is `any`.
SAME = """\
type Any<T> = 0 extends 1 & T ? true : false;
type Same<A, B> = Any<A> extends true ? false : [A] extends [B] ? ([B] extends [A] ? true : false) : false;
"""


@EACH
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_openapi_typescript_has_every_response(contract: Contract, tmp_path: Path) -> None:
    """Each JSON response has the type of its schema."""
    run_node_tool("openapi-typescript", contract.file, "--output", "document.ts", folder=tmp_path)
    lines = [
        f'  Same<operations["{name}"]["responses"][{status}]["content"]["application/json"], '
        f'components["schemas"]["{schema}"]>,'
        for name, status, schema in _responses(contract)
    ]
    _compile(tmp_path, 'import type { components, operations } from "./document";', lines)


@EACH
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_hey_api_has_every_response(contract: Contract, tmp_path: Path) -> None:
    """Each operation is a function, and each JSON response has the type of its schema."""
    run_node_tool("openapi-ts", "--input", contract.file, "--output", "client", folder=tmp_path)
    lines = [
        f"  Same<types.{name[:1].upper()}{name[1:]}{'Errors' if status >= HTTPStatus.BAD_REQUEST else 'Responses'}"
        f"[{status}], types.{schema}>,"
        for name, status, schema in _responses(contract)
    ]
    functions = sorted({f"  client.{name};" for name, _, _ in _responses(contract)})
    imports = 'import type * as types from "./client/types.gen";\nimport * as client from "./client/sdk.gen";'
    _compile(tmp_path, "\n".join([imports, *functions]), lines)


def _responses(contract: Contract) -> Iterator[tuple[str, int, str]]:
    """Yield the operation, the status and the schema of each JSON response."""
    for operation in contract.operations:
        for status, response in operation.responses.items():
            media = response.get("content", {}).get("application/json")
            if media:
                schema = media["schema"].get("allOf", [media["schema"]])[0]
                yield operation.id, int(status), schema["$ref"].rpartition("/")[2]


def _compile(folder: Path, head: str, types: list[str]) -> None:
    assert len(types) > 50
    values = ", ".join(["true"] * len(types))
    text = "\n".join([head, SAME, "export const found: [", *types, f"] = [{values}];\n"])
    (folder / "check.ts").write_text(text)
    (folder / "tsconfig.json").write_bytes((RULES / "tsconfig.json").read_bytes())
    run_node_tool("tsc", "--project", ".", folder=folder)
