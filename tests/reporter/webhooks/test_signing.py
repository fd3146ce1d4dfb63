"""Signatures, by the library of the specification and by OpenSSL."""

import base64
import subprocess
import time
from pathlib import Path

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError

from imageconverter.settings import SettingsError, WebhookSettings
from services.reporter.webhooks.signing import read_keys, sign
from tests.testing.webhook_receiver import OTHER_SECRET, SECRET

BODY = '{"type":"run.finished","data":{"action":"ü"}}'


def signed(secrets: str, *, at: int | None = None) -> dict[str, str]:
    """Return the headers of BODY, signed with *secrets* *at* a time, by default now."""
    timestamp = int(time.time()) if at is None else at
    keys = read_keys(WebhookSettings(secret=SecretStr(secrets)))
    signature = sign(keys, "msg_1", timestamp, BODY)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def test_the_library_of_the_specification_accepts_a_signature() -> None:
    """With the body as it was sent, but not with another one."""
    Webhook(SECRET).verify(BODY, signed(SECRET))

    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY + " ", signed(SECRET))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, signed(SECRET) | {"webhook-id": "msg_2"})


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
def test_while_a_secret_is_replaced_both_are_accepted(secret: str) -> None:
    """There is a signature by each."""
    headers = signed(f"{SECRET} {OTHER_SECRET}")

    Webhook(secret).verify(BODY, headers)
    assert len(headers["webhook-signature"].split(" ")) == 2


def test_openssl_computes_the_same_signature() -> None:
    """HMAC-SHA256 of id, time and body, with the key in base64."""
    key = base64.b64decode(SECRET.removeprefix("whsec_")).hex()
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key}", "-binary"]
    done = subprocess.run(command, input=f"msg_1.1700000000.{BODY}".encode(), capture_output=True, check=True)

    assert signed(SECRET, at=1700000000)["webhook-signature"] == f"v1,{base64.b64encode(done.stdout).decode()}"


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    """White space around it is ignored."""
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")

    assert read_keys(WebhookSettings(secret_file=file)) == read_keys(WebhookSettings(secret=SecretStr(SECRET)))


@pytest.mark.parametrize(
    "secret", ["", "secret", SECRET.removeprefix("whsec_"), "whsec_c2hvcnQ=", "whsec_?", "whsec_" + "QUJD" * 22]
)
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    """Without a word of it in the message: not in base64, shorter than 24 or longer than 64 bytes."""
    with pytest.raises(SettingsError, match=r"^IMAGECONVERTER_WEBHOOK_SECRET: ") as raised:
        read_keys(WebhookSettings(secret=SecretStr(secret)))
    assert not secret or secret.removeprefix("whsec_") not in str(raised.value)


def test_a_secret_file_that_is_missing_or_one_of_two_is_refused(tmp_path: Path) -> None:
    """The message names the setting."""
    missing = tmp_path / "missing"
    with pytest.raises(SettingsError, match=r"^IMAGECONVERTER_WEBHOOK_SECRET_FILE: .*cannot be read"):
        read_keys(WebhookSettings(secret_file=missing))
    with pytest.raises(SettingsError, match=r"^IMAGECONVERTER_WEBHOOK_SECRET_FILE: must not be set beside"):
        read_keys(WebhookSettings(secret=SecretStr(SECRET), secret_file=missing))
