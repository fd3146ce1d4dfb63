"""The Redis user of docker/redis.acl: it may do what the service does, and no more."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import NoPermissionError
from redis.retry import Retry

from services.stack.servers import redis_server
from tests.testing import stack_traffic
from tests.testing.running_stack import running_stack

pytestmark = pytest.mark.timeout(240)

_FILE = Path(__file__).parents[2] / "docker" / "redis.acl"
_RULES = [rule for line in _FILE.read_text().splitlines() if not line.startswith("#") for rule in line.split()]
_PASSWORD, _ADMIN_PASSWORD = "of-the-roles", "of-the-administrator"
_DATABASE = 1  # not the default, so that it has to be selected


class _Traffic(NamedTuple):
    """What a stack has done in Redis, as Redis reports it."""

    commands: set[str]
    """Those inside of scripts included."""
    refused: list[dict[str, Any]]
    keys: list[str]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """The connection of an administrator to a Redis with that user."""
    folder = tmp_path_factory.mktemp("redis")
    server = redis_server(folder, folder, {}, _ADMIN_PASSWORD)
    with (folder / "redis.conf").open("a") as config:
        config.write(f"user imageconverter reset on >{_PASSWORD} {' '.join(_RULES)}\n")
    process = subprocess.Popen(server.command.arguments, stdout=subprocess.DEVNULL)
    retry = Retry(ConstantBackoff(0.1), 100)
    connection: dict[str, Any] = {
        "port": server.port,
        "db": _DATABASE,
        "password": _ADMIN_PASSWORD,
        "decode_responses": True,
    }
    try:
        with Redis(**connection, retry=retry, retry_on_error=[OSError]) as admin:
            admin.ping()
            yield admin
    finally:
        process.kill()
        process.wait()


def _port(redis: Redis) -> int:
    return int(redis.connection_pool.connection_kwargs["port"])


@pytest.fixture(scope="module")
def traffic(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> _Traffic:
    """All kinds of requests to a stack that uses Redis as that user."""
    url = f"redis://imageconverter:{_PASSWORD}@127.0.0.1:{_port(redis)}/{_DATABASE}"
    folder = tmp_path_factory.mktemp("stack")
    redis.config_resetstat()
    with running_stack(folder, IMAGECONVERTER_REDIS_URL=url, **stack_traffic.SETTINGS) as stack:
        stack_traffic.convert(stack)
        stack_traffic.report(stack)
        stack_traffic.webhooks(stack)
        stack_traffic.previews(stack)
        stack_traffic.dead_letters(stack, _spoiled_jobs(redis))
        stack_traffic.logins(stack)
        with stack_traffic.waiting_jobs(stack):
            keys = [str(key) for key in redis.scan_iter()]
    ask: Any = redis.execute_command
    commands = {name.removeprefix("cmdstat_") for name in ask("INFO", "commandstats")}
    return _Traffic(commands, ask("ACL LOG"), keys)


def _spoiled_jobs(redis: Redis) -> list[str]:
    """Queue jobs that cannot be run."""
    bodies = {"unknown-task": {"t": None, "f": "unknown", "a": [{}], "k": {}, "et": 1}, "unreadable": 1}
    with redis.pipeline(transaction=False) as pipe:
        for job, body in bodies.items():
            pipe.set(f"arq:job:{job}", json.dumps(body))
            pipe.zadd("ic:lane:batch", {job: 1})
        pipe.execute()
    return list(bodies)


def test_nothing_that_the_service_needs_is_refused(traffic: _Traffic) -> None:
    """Neither a command nor a key."""
    assert traffic.refused == []


def test_everything_that_is_allowed_is_needed(traffic: _Traffic) -> None:
    """No command and no pattern of keys is on the list that the service does not use."""
    allowed = {rule.removeprefix("+").partition("|")[0] for rule in _RULES if rule.startswith("+")}
    patterns = {rule for rule in _RULES if rule.startswith("~")}

    assert allowed - {command.partition("|")[0] for command in traffic.commands} == set()
    assert {f"~{key.partition(':')[0]}:*" for key in traffic.keys} == patterns


@pytest.mark.parametrize(
    "command",
    [
        "CONFIG GET *",
        "DEBUG SLEEP 0",
        "FLUSHALL",
        "KEYS *",
        "SCRIPT FLUSH",
        "ACL LIST",
        "SHUTDOWN",
        "EVAL return(1) 0",
        "MODULE LIST",
        "PUBLISH a b",
        "GET another-service",
        "SET another-service 1",
    ],
)
def test_everything_else_is_refused(redis: Redis, command: str) -> None:
    """Commands of administrators, and the keys of others."""
    service = Redis(port=_port(redis), username="imageconverter", password=_PASSWORD)
    execute: Any = service.execute_command
    with service, pytest.raises(NoPermissionError):
        execute(*command.split())
