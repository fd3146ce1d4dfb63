"""Which addresses a feed may be fetched from: public ones, so that no URL leads into our own network."""

import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from imageconverter.errors import SourceRefused

# Not for the public, whatever `is_global` of some Pythons that we run on says.
_RESERVED: Final = tuple(
    ip_network(each)
    for each in (
        "192.0.0.0/24",  # protocols; a cloud's metadata among them
        "192.88.99.0/24",  # relays into 6to4
        "168.63.129.16/32",  # a cloud's own services, in each of its virtual networks
        "::/96",  # IPv4 once more, long given up
        "64:ff9b:1::/48",  # NAT64 of a local network
        "2001::/23",  # protocols; Teredo among them
        "2001:db8::/32",  # documents
        "3fff::/20",
        "5f00::/16",  # segment routing
        "fec0::/10",  # site-local, long given up
    )
)
# In these an IPv4 address stands at so many bits from the right, and is where the packets go.
_EMBEDDED: Final = ((ip_network("::ffff:0:0/96"), 0), (ip_network("64:ff9b::/96"), 0), (ip_network("2002::/16"), 80))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether anybody may be reached at *address* who is on the internet, and nobody who is not."""
    for network, shift in _EMBEDDED:
        if address in network:
            return is_public(IPv4Address(int(address) >> shift & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast and not any(address in each for each in _RESERVED)


class PublicResolver(AbstractResolver):
    """Looks hosts up and refuses those that are not public.

    It is the connector's own look-up, so that the addresses which are checked are those which are connected to.
    """

    def __init__(self, resolver: AbstractResolver, private_hosts: Collection[str]) -> None:
        """Ask *resolver*; the *private_hosts* may have any address."""
        self._resolver = resolver
        self._private_hosts = frozenset(host.lower().strip("[]") for host in private_hosts)

    def check(self, url: URL) -> None:
        """Raise SourceRefused unless *url* is one of HTTP, and for a host that is an address no one may go to."""
        host = url.raw_host
        if url.scheme not in ("http", "https") or not host:
            raise SourceRefused("Only http:// and https:// addresses with a host can be fetched.")
        if (address := _literal(host)) is not None:  # of which the connector does not ask its resolver
            self._check(host, address)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Look *host* up; raises SourceRefused where any of its addresses is not public."""
        found = await self._resolver.resolve(host, port, family)
        for each in found:
            self._check(host, ip_address(each["host"]))
        return found

    async def close(self) -> None:
        """Close the resolver that is asked."""
        await self._resolver.close()

    def _check(self, host: str, address: IPv4Address | IPv6Address) -> None:
        if host.lower() not in self._private_hosts and not is_public(address):
            raise SourceRefused(f"The host {host} is not on the public internet and not among the private hosts.")


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        # Knows every way to write one that a system may follow: 127.1, 0x7f000001, 017700000001, 2130706433.
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        pass
    try:
        return ip_address(host)
    except ValueError:
        return None
