"""Which signatures are accepted, and how keys are read."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Final

import pytest
from pydantic import SecretStr

from imageconverter.errors import SignatureRefused
from imageconverter.settings import SettingsError, SignedUrlSettings
from services.gateway.signed_urls.keys import SigningKeys

KEY, OTHER = "00ff" * 16, "a1" * 64
TEXT: Final = "/rs:fit:300:200/products/ä b.jpg"


def signature(key: str, text: str = TEXT) -> str:
    """Return the signature as imgproxy's documentation says, without a salt."""
    digest = hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def keys(text: str) -> SigningKeys:
    """Return keys of the settings."""
    return SigningKeys(SignedUrlSettings(keys=SecretStr(text)))


def test_a_known_signature_is_accepted() -> None:
    """It was made by OpenSSL: `openssl dgst -sha256 -mac HMAC -macopt hexkey:… -binary | basenc --base64url`."""
    keys(KEY).verify("ff9wwUiIEUV1Qqcml1fkiJ9-tarYV-Xr1-wZjoqE7BA", TEXT)


def test_each_of_several_keys_is_accepted() -> None:
    """So that a key can be replaced while URLs that the old one has signed are in use."""
    for key in (KEY, OTHER):
        keys(f"{KEY} {OTHER}").verify(signature(key), TEXT)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "unsafe",
        "ä",
        "\udc80",
        signature(OTHER),
        signature(KEY) + "=",
        signature(KEY)[:-1],
        signature(KEY, TEXT[1:]),
    ],
)
def test_another_signature_is_refused(wrong: str) -> None:
    """Also one of a key that was removed, and the right one with padding: each image has one URL."""
    with pytest.raises(SignatureRefused):
        keys(KEY).verify(wrong, TEXT)


def test_a_key_is_replaced_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the old key has signed is valid until that is removed; a broken file changes nothing."""
    monkeypatch.setattr("services.gateway.auth.watched_file._CHECK_SECONDS", 0.0)
    file = tmp_path / "keys"
    file.write_text(f"{KEY}\n")
    read = SigningKeys(SignedUrlSettings(keys_file=file))
    read.verify(signature(KEY), TEXT)
    with pytest.raises(SignatureRefused):
        read.verify(signature(OTHER), TEXT)

    file.write_text(f"{OTHER}\n{KEY}\n")
    read.verify(signature(KEY), TEXT)
    read.verify(signature(OTHER), TEXT)

    replacement = tmp_path / "new"
    replacement.write_text(OTHER)
    replacement.replace(file)
    read.verify(signature(OTHER), TEXT)
    with pytest.raises(SignatureRefused):
        read.verify(signature(KEY), TEXT)

    file.write_text("")
    read.verify(signature(OTHER), TEXT)


def test_without_keys_they_are_disabled() -> None:
    """Nothing is accepted, not even what the empty key signs."""
    none = SigningKeys(SignedUrlSettings())

    assert not none.are_enabled
    assert keys(KEY).are_enabled
    with pytest.raises(SignatureRefused):
        none.verify(signature(""), TEXT)


@pytest.mark.parametrize("text", ["secret" * 12, KEY[:-2], OTHER + "00", " ".join([KEY] * 9)])
def test_an_invalid_key_stops_the_start(text: str) -> None:
    """The message does not contain it."""
    with pytest.raises(SettingsError, match="SIGNED_URL_KEYS: ") as error:
        keys(text)
    assert text[:16] not in str(error.value)


@pytest.mark.parametrize("content", [None, "", "no digits"])
def test_an_invalid_file_stops_the_start(tmp_path: Path, content: str | None) -> None:
    """Missing, empty, or without keys."""
    file = tmp_path / "keys"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match="SIGNED_URL_KEYS_FILE: "):
        SigningKeys(SignedUrlSettings(keys_file=file))


def test_a_file_beside_keys_is_an_error(tmp_path: Path) -> None:
    """It would not be clear which ones count."""
    with pytest.raises(SettingsError, match="beside"):
        SigningKeys(SignedUrlSettings(keys=SecretStr(KEY), keys_file=tmp_path))
