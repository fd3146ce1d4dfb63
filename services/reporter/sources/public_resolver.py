"""The addresses that feeds may be fetched from: public ones, to prevent server-side request forgery (SSRF)."""

import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from imageconverter.errors import SourceRefused

# Not public, although `is_global` of some Python versions is true.
_RESERVED: Final = tuple(
    ip_network(each)
    for each in (
        "192.0.0.0/24",  # IETF protocols, including a cloud's metadata
        "192.88.99.0/24",  # relays into 6to4
        "168.63.129.16/32",  # Azure's own services, in every virtual network
        "2001::/23",  # IETF protocols, including Teredo
        "2001:db8::/32",  # documentation
        "3fff::/20",
    )
)
# All that IANA allocates to networks of the internet. Outside are translated addresses (SIIT, local NAT64), discarded
# ones, segment routing and whatever may come.
_ALLOCATED: Final = ip_network("2000::/3")
# Networks with an embedded IPv4 address, which packets are routed to, and its offset in bits from the right.
_EMBEDDED: Final = ((ip_network("::ffff:0:0/96"), 0), (ip_network("64:ff9b::/96"), 0), (ip_network("2002::/16"), 80))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether *address* is on the public internet."""
    for network, shift in _EMBEDDED:
        if address in network:
            return is_public(IPv4Address(int(address) >> shift & 0xFFFFFFFF))
    if address.version == 6 and address not in _ALLOCATED:  # noqa: PLR2004
        return False
    return address.is_global and not address.is_multicast and not any(address in each for each in _RESERVED)


class PublicResolver(AbstractResolver):
    """Resolves host names and refuses addresses that are not public.

    The connector uses it, so that the addresses checked are those connected to (no DNS rebinding).
    """

    def __init__(self, resolver: AbstractResolver, private_hosts: Collection[str]) -> None:
        """Resolve with *resolver*; the *private_hosts* may have any address."""
        self._resolver = resolver
        self._private_hosts = frozenset(host.lower().strip("[]") for host in private_hosts)

    def check(self, url: URL) -> None:
        """Raise SourceRefused if *url* is not HTTP(S), or if its host is an address that is not public."""
        host = url.raw_host
        if url.scheme not in ("http", "https") or not host:
            raise SourceRefused("Only http:// and https:// addresses with a host can be fetched.")
        if (address := _literal(host)) is not None:  # the connector does not resolve addresses
            self._check(host, address)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Resolve *host*; raises SourceRefused if any of its addresses is not public."""
        found = await self._resolver.resolve(host, port, family)
        for each in found:
            self._check(host, ip_address(each["host"]))
        return found

    async def close(self) -> None:
        """Close the underlying resolver."""
        await self._resolver.close()

    def _check(self, host: str, address: IPv4Address | IPv6Address) -> None:
        if host.lower() not in self._private_hosts and not is_public(address):
            raise SourceRefused(f"The host {host} is not on the public internet and not among the private hosts.")


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        # Accepts every notation that a system may: 127.1, 0x7f000001, 017700000001, 2130706433.
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        pass
    try:
        return ip_address(host)
    except ValueError:
        return None
