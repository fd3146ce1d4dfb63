"""The roles: the kinds of process that make up the service."""

from typing import Final

from imageconverter.settings import GatewaySettings

ROLES: Final = ("gateway", "worker", "reporter")

_LOOPBACK_OF_WILDCARD: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not listened on


def local_gateway_url(settings: GatewaySettings) -> str:
    """Return the URL under which a process on the gateway's host reaches it, without a slash at the end."""
    host = _LOOPBACK_OF_WILDCARD.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
