"""The address of a Redis that Sentinels watch."""

from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

_PORT: Final = 26379
_MARK: Final = "+sentinel://"


class SentinelAddress(NamedTuple):
    """Where the Sentinels are, and what they are asked for."""

    sentinels: list[tuple[str, int]]
    """Hosts and ports."""
    master: str
    """The name under which they watch the master and its replicas."""
    server: str
    """Protocol, user, password, database and options of the master, as a URL whose host has no meaning."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse `redis+sentinel://[user:password@]host[:port],…/master[/database][?options]`, or `rediss+sentinel`.

        Raises ValueError if it has another form.
        """
        scheme, mark, rest = url.partition(_MARK)
        if not mark or scheme not in ("redis", "rediss"):
            schemes = "redis://, rediss://, unix://, redis+sentinel:// or rediss+sentinel://"
            raise ValueError(f"must begin with {schemes}")
        authority, _, path = rest.partition("/")
        credentials, at, hosts = authority.rpartition("@")
        path, question_mark, options = path.partition("?")
        master, _, database = path.partition("/")
        if not master:
            raise ValueError("must name the master after the Sentinels, as in redis+sentinel://host:26379/mymaster")
        if database and not database.isdecimal():
            raise ValueError("must have the number of a database after the name of the master, or nothing")
        server = f"{scheme}://{credentials}{at}{master}/{database}{question_mark}{options}"
        return cls([_host_and_port(each) for each in hosts.split(",")], master, server)


def is_sentinel_address(url: str) -> bool:
    """Whether *url* is the address of Sentinels, not of a Redis."""
    return _MARK in url


def _host_and_port(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text.strip()}")
        host, port = parts.hostname, parts.port or _PORT
    except ValueError:
        host, port = None, 0
    if not host:
        raise ValueError("must have hosts of Sentinels, with or without ports, separated by commas")
    return host, port
