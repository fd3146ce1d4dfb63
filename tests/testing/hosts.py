"""Hosts of their own in network namespaces, joined by a switch, with links that fail as networks do."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count

from tests.testing.processes import Part

_PROGRAMS = ("ip", "tc", "iptables", "nsenter", "unshare")
_NETWORKS = range(512)  # of 254 addresses in 198.18.0.0/15, which RFC 2544 reserves for tests
# A namespace exists as long as this program, which ends with its input, at the latest when the test process ends.
_STAY = 'hostname "$0" && ip link set lo up && echo ready && exec cat'


def why_not() -> str:
    """Return the reason why there can be no such hosts, "" if there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if missing := [program for program in _PROGRAMS if shutil.which(program) is None]:
        return f"not installed: {', '.join(missing)}"
    tried = subprocess.run(["unshare", "--net", "--uts", "true"], capture_output=True, text=True, check=False)
    return tried.stderr.strip()


@dataclass(frozen=True)
class Namespace:
    """A network namespace with a host name of its own."""

    name: str
    pid: int

    @property
    def inside(self) -> list[str]:
        """What a command line begins with that is to run inside."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", f"--uts=/proc/{self.pid}/ns/uts", "--"]

    def run(self, *command: str) -> None:
        """Run a command inside; raises CalledProcessError if it fails."""
        subprocess.run([*self.inside, *command], check=True)


@dataclass(frozen=True)
class Host:
    """A host with one link to the switch of its network."""

    namespace: Namespace
    address: str
    network: "Network"
    _dropping: list[tuple[Namespace, list[str]]] = field(default_factory=list)

    def take(self, part: Part) -> Part:
        """Let *part*, which is not running, run on this host."""
        part.command = replace(part.command, arguments=[*self.namespace.inside, *part.command.arguments])
        return part

    def cut_off(self) -> None:
        """Drop all packets between this host and the servers."""
        self.lose(1)

    def lose(self, share: float) -> None:
        """Drop a *share* of the packets between this host and the servers, in both directions."""
        servers = self.network.servers
        for receiver, sender in ((servers, self.address), (self.namespace, self.network.address)):
            match = ["-s", sender, "-m", "statistic", "--mode", "random", "--probability", str(share)]
            receiver.run("iptables", "-w", "-A", "INPUT", *match, "-j", "DROP")
            self._dropping.append((receiver, match))

    def heal(self) -> None:
        """Drop no more packets."""
        while self._dropping:
            receiver, match = self._dropping.pop()
            receiver.run("iptables", "-w", "-D", "INPUT", *match, "-j", "DROP")

    def limit(self, rate: str) -> None:
        """Let the link carry at most *rate*, such as ``2mbit``, in each direction."""
        for namespace, link in ((self.namespace, "eth0"), (self.network.servers, self.namespace.name)):
            bucket = ("rate", rate, "burst", "32kb", "latency", "400ms")
            namespace.run("tc", "qdisc", "add", "dev", link, "root", "tbf", *bucket)


class Network:
    """A switch that connects hosts with the servers and the tests. The servers run in its namespace."""

    def __init__(self, number: int, servers: Namespace) -> None:
        self.servers = servers
        self._prefix = f"198.{18 + number // 256}.{number % 256}"
        self._numbers = count(10)
        self.address = f"{self._prefix}.1"
        """At which all reach the servers, which themselves listen on loopback."""
        self.of_tests = f"{self._prefix}.2"

    @contextmanager
    def hosts(self, *names: str) -> Iterator[list[Host]]:
        """Have new hosts during the block."""
        with ExitStack() as stack:
            yield [stack.enter_context(self._host(name)) for name in names]

    @contextmanager
    def _host(self, name: str) -> Iterator[Host]:
        address = f"{self._prefix}.{next(self._numbers)}"
        with _namespace(name) as namespace:
            link = ("name", name, "master", "switch", "up", "type", "veth")
            self.servers.run("ip", "link", "add", *link, "peer", "name", "eth0", "netns", str(namespace.pid))
            namespace.run("ip", "address", "add", f"{address}/24", "dev", "eth0")
            namespace.run("ip", "link", "set", "eth0", "up")
            try:
                yield Host(namespace, address, self)
            finally:
                self.servers.run("ip", "link", "delete", name)


@contextmanager
def switched_network() -> Iterator[Network]:
    """Have a network during the block, without a host yet. Nothing of it outlives the test process."""
    with _namespace("servers") as servers:
        number = next(number for number in _NETWORKS if _link_tests(number, servers))
        network = Network(number, servers)
        servers.run("ip", "link", "add", "switch", "type", "bridge")
        servers.run("ip", "link", "set", "tests", "master", "switch", "up")
        servers.run("ip", "address", "add", f"{network.address}/24", "dev", "switch")
        servers.run("ip", "link", "set", "switch", "up")
        servers.run("sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1")
        to_loopback = ("-d", network.address, "-j", "DNAT", "--to-destination", "127.0.0.1")
        servers.run("iptables", "-w", "-t", "nat", "-A", "PREROUTING", *to_loopback)
        _run("ip", "address", "add", f"{network.of_tests}/24", "dev", _link(number))
        _run("ip", "link", "set", _link(number), "up")
        try:
            yield network
        finally:
            _run("ip", "link", "delete", _link(number))


def _link(number: int) -> str:
    return f"ic-tests-{number}"


def _link_tests(number: int, servers: Namespace) -> bool:
    """Connect the namespace of the tests as network *number*; False if there is one of this number."""
    link = ["ip", "link", "add", _link(number), "type", "veth", "peer", "name", "tests", "netns", str(servers.pid)]
    return subprocess.run(link, capture_output=True, check=False).returncode == 0


@contextmanager
def _namespace(name: str) -> Iterator[Namespace]:
    command = ["unshare", "--net", "--uts", "sh", "-c", _STAY, name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield Namespace(name, process.pid)
        finally:
            process.kill()


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
