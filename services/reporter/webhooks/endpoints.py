"""The endpoints that webhooks are sent to, by the settings."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import get_args

from yarl import URL

from imageconverter.settings import SettingsError, WebhookSettings
from imageconverter.webhooks import EndpointRecord, EventType
from services.reporter.webhooks.signing import SigningKeys, read_keys

_ID_LENGTH = 12


@dataclass(frozen=True)
class Endpoint:
    """A URL, and what requests to it are signed with."""

    record: EndpointRecord
    url: URL = field(repr=False)  # may contain a token
    keys: SigningKeys = field(repr=False)


def webhook_endpoints(settings: WebhookSettings) -> list[Endpoint]:
    """Return the configured endpoints; raises SettingsError if a setting is invalid. Resolves no host."""
    given = settings.urls.get_secret_value() if settings.urls else ""
    urls = dict.fromkeys(each.strip() for each in given.split(",") if each.strip())
    if not urls:
        return []
    keys, events = read_keys(settings), _events(settings)
    return [_endpoint(url, keys, events) for url in urls]


def _endpoint(address: str, keys: SigningKeys, events: tuple[str, ...]) -> Endpoint:
    try:
        url = URL(address)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host or " " in address:
        # Without the address, which may contain a token.
        raise SettingsError("IMAGECONVERTER_WEBHOOK_URLS: must be http:// or https:// addresses, separated by commas")
    endpoint_id = sha256(address.encode()).hexdigest()[:_ID_LENGTH]
    return Endpoint(EndpointRecord(id=endpoint_id, origin=str(url.origin()), events=events), url, keys)


def _events(settings: WebhookSettings) -> tuple[str, ...]:
    known = get_args(EventType)
    events = tuple(each.strip() for each in settings.events.split(",") if each.strip())
    if not events or not set(events) <= set(known):
        raise SettingsError(f"IMAGECONVERTER_WEBHOOK_EVENTS: must be some of {', '.join(known)}")
    return events
