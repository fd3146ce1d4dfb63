"""The examples of docs/webhooks.md verify what the reporter signs, in each language whose interpreter is there."""

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from imageconverter.settings import WebhookSettings
from services.reporter.webhooks.signing import read_keys, sign
from tests.testing.webhook_receiver import OTHER_SECRET, SECRET

_DOCUMENT = Path(__file__).parents[2] / "docs" / "webhooks.md"
_BODY = '{"type":"run.finished","data":{"action":"für alle"}}'

# What is run after each example: it reads body, headers and secret, and prints the event.
_CALLS = {
    "python": "import sys\nb, h, s = json.load(sys.stdin)\nprint(json.dumps(verified_event(b.encode(), h, s)))",
    "javascript": 'const [b, h, s] = JSON.parse(require("node:fs").readFileSync(0));\n'
    "console.log(JSON.stringify(verifiedEvent(Buffer.from(b), h, s)));",
    "php": "[$b, $h, $s] = json_decode(stream_get_contents(STDIN), true);\n"
    "echo json_encode(verified_event($b, $h, $s));",
}
_PROGRAMS = {"python": sys.executable, "javascript": "node", "php": "php"}


def _example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", _DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


def _headers(*, seconds_ago: int = 0) -> dict[str, str]:
    keys = read_keys(WebhookSettings(secret=SecretStr(f"{OTHER_SECRET} {SECRET}")))
    timestamp = int(time.time()) - seconds_ago
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(keys, "msg_1", timestamp, _BODY),
    }


@pytest.mark.parametrize("language", _CALLS)
def test_an_example_accepts_only_what_is_signed(language: str, tmp_path: Path) -> None:
    """While a secret is being replaced too; not another body, an old request, or a wrong secret."""
    program = shutil.which(_PROGRAMS[language])
    if program is None:
        pytest.skip(f"{language} is not installed")
    script = tmp_path / "example"
    script.write_text(f"{_example(language)}\n{_CALLS[language]}\n", encoding="utf-8")

    def run(body: str, headers: dict[str, str], secret: str = SECRET) -> subprocess.CompletedProcess[str]:
        given = json.dumps([body, headers, secret])
        return subprocess.run([program, script], input=given, capture_output=True, text=True, check=False)

    accepted = run(_BODY, _headers())
    assert accepted.returncode == 0, accepted.stderr
    assert json.loads(accepted.stdout) == json.loads(_BODY)
    for refused, reason in (
        (run(_BODY + " ", _headers()), "the signature is wrong"),
        (run(_BODY, _headers(), "whsec_" + "QUJD" * 8), "the signature is wrong"),
        (run(_BODY, _headers() | {"webhook-id": "msg_2"}), "the signature is wrong"),
        (run(_BODY, _headers(seconds_ago=400)), "the request is old"),
    ):
        assert refused.returncode != 0
        assert reason in refused.stderr + refused.stdout
