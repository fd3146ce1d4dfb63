"""The URLs that docs/signed-urls.md and the client library sign are accepted, in each language that is there."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from pydantic import SecretStr
from yarl import URL

from imageconverter.settings import SignedUrlSettings
from services.client.signed_urls import signed_path
from services.gateway.signed_urls.keys import SigningKeys

_DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "signed-urls.md"
_KEY: Final = "0123456789abcdef" * 4
_OPTIONS: Final = "rs:fill:300:200/g:fp:0.5:0.2/f:webp"
_PATHS: Final = (
    "a.jpg",
    "products/ä b.jpg",
    "100%/a+b&c=d?#.jpg",
    "(1)/it's!*~'.jpg",
    "a/b:c@d;e,f.jpg",
    "日本/😀.png",
)

# What is run after each example: it reads key, options and paths, and prints what it makes of them.
_CALLS: Final = {
    "python": "import json, sys\nk, o, p = json.load(sys.stdin)\n"
    "print(json.dumps([signed_path(k, o, e) for e in p]))",
    "javascript": 'const [k, o, p] = JSON.parse(require("node:fs").readFileSync(0));\n'
    "console.log(JSON.stringify(p.map((each) => signedPath(k, o, each))));",
    "php": "[$k, $o, $p] = json_decode(stream_get_contents(STDIN), true);\n"
    "echo json_encode(array_map(fn ($each) => signed_path($k, $o, $each), $p));",
}
_PROGRAMS: Final = {"python": sys.executable, "javascript": "node", "php": "php"}


def _is_accepted(made: str, path: str) -> None:
    """Raise unless the gateway reads *path* in the URL *made*, and finds the signature right."""
    prefix, signature, text = re.fullmatch(r"(/content/_)/([^/]+)/(.*)", URL(made, encoded=True).path).groups()  # type: ignore[union-attr]
    assert (prefix, text) == ("/content/_", f"{_OPTIONS}/{path}")
    SigningKeys(SignedUrlSettings(keys=SecretStr(_KEY))).verify(signature, f"/{text}")


@pytest.mark.parametrize("language", _CALLS)
def test_an_example_signs_what_the_gateway_accepts(language: str, tmp_path: Path) -> None:
    """With all that names may contain."""
    program = shutil.which(_PROGRAMS[language])
    if program is None:
        pytest.skip(f"{language} is not installed")
    (example,) = re.findall(rf"```{language}\n(.*?)```", _DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    script = tmp_path / "example"
    script.write_text(f"{example}\n{_CALLS[language]}\n", encoding="utf-8")
    given = json.dumps([_KEY, _OPTIONS, _PATHS])
    run = subprocess.run([program, script], input=given, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr
    for made, path in zip(json.loads(run.stdout), _PATHS, strict=True):
        _is_accepted(made, path)


@pytest.mark.parametrize("path", _PATHS)
def test_the_client_library_signs_what_the_gateway_accepts(path: str) -> None:
    """Likewise."""
    _is_accepted(signed_path(_KEY, _OPTIONS, path), path)


def test_the_client_library_refuses_what_would_be_an_option() -> None:
    """A path that begins with a colon in a segment."""
    with pytest.raises(ValueError, match="colon"):
        signed_path(_KEY, _OPTIONS, "a:b/c.jpg")
