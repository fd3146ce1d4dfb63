"""The client of obstore, by the settings."""

from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.store import S3Store

from imageconverter.settings import StorageSettings

if TYPE_CHECKING:
    from obstore.store import ClientConfig

_CONNECT_SECONDS = 2
_REQUEST_SECONDS = 60  # in addition to the timeout of a call; what a slow client reads takes several requests then


def create_store(settings: StorageSettings) -> S3Store:
    """Return a client of obstore; nothing is sent yet."""
    access_key, secret_key = settings.credentials
    return S3Store(
        settings.bucket,
        endpoint=settings.endpoint,
        region=settings.region,
        access_key_id=access_key,
        secret_access_key=secret_key,
        virtual_hosted_style_request=False,
        unsigned_payload=True,  # a hash of all data takes as long as all the rest of a call
        client_options={
            "allow_http": True,
            "connect_timeout": timedelta(seconds=min(_CONNECT_SECONDS, settings.timeout_seconds)),
            # Of a whole request; the deadline of each call is shorter except for the largest objects.
            "timeout": timedelta(seconds=settings.timeout_seconds + _REQUEST_SECONDS),
            **_trusted(settings),
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=settings.timeout_seconds)},
    )


def _trusted(settings: StorageSettings) -> "ClientConfig":
    return {"root_certificate": settings.ca_file.read_bytes()} if settings.ca_file else {}
