"""The variables of the roles are settings, and make up a valid configuration."""

import re
from pathlib import Path
from typing import Any

import pytest

from imageconverter.settings import Settings, load_settings, unknown_variables
from tests.helm.chart import CASES, Document, Values, named, render

EACH = pytest.mark.parametrize("values", CASES.values(), ids=CASES)
ROLES = ("gateway", "worker", "reporter")
SECRET = "0123456789abcdef0123456789abcdef"
ADDRESS = f"redis+sentinel://:{SECRET}@sentinel.example.org:26379/images/0"
_DRAIN_SECONDS = 6  # of workers and reporters; a gateway finishes requests for up to 30


@EACH
@pytest.mark.parametrize("role", ROLES)
def test_every_variable_is_a_setting(values: Values, role: str) -> None:
    """A role would report others as typos, and would not start with an invalid value."""
    _load(values, role)


def test_redis_by_address() -> None:
    """The kubelet puts the password into the URL."""
    expected = {
        "defaults": f"redis://imageconverter:{SECRET}@redis.example.org:6379/0",
        "servers elsewhere": f"rediss://:{SECRET}@r.example.org:6380/3",
        "bundled": f"redis://imageconverter:{SECRET}@shop-imageconverter-redis:6379/0",
        "redis by url": ADDRESS,
    }

    for case, url in expected.items():
        settings = _load(CASES[case], "worker")
        assert settings.redis.url is not None
        assert settings.redis.url.get_secret_value() == url


def test_the_store_by_address() -> None:
    """The bundled one is found by the name of its Service."""
    assert _load(CASES["bundled"], "worker").storage.endpoint == "http://shop-imageconverter-s3:9000"
    storage = _load(CASES["servers elsewhere"], "worker").storage
    assert (storage.endpoint, storage.public_endpoint) == ("http://minio:9000", "https://s3.example.org")


def test_an_ingress_is_a_trusted_proxy() -> None:
    """URLs of images have its host, and clients their own addresses."""
    gateway = _load(CASES["everything"], "gateway").gateway

    assert (gateway.content_host, gateway.trusted_proxies) == ("images.example.org/content", 1)
    assert _load(CASES["defaults"], "gateway").gateway.trusted_proxies == 0


def test_other_settings_reach_all_roles() -> None:
    """A large number stays as it is."""
    for role in ROLES:
        settings = _load(CASES["everything"], role)
        assert settings.process.log_level == "debug"
        assert settings.gateway.content_max_age == 1_000_000


@pytest.mark.parametrize("role", ROLES)
def test_files_and_folders_of_settings_are_mounted(role: str) -> None:
    """The formats, the keys of a gateway, and the work folder of a reporter."""
    documents = render(CASES["everything"])
    (container,) = named(documents, "Deployment", role)["spec"]["template"]["spec"]["containers"]
    mounts = {Path(each["mountPath"]) for each in container["volumeMounts"]}
    paths = [Path(each["value"]) for each in container["env"] if each["name"].endswith(("_FILE", "_FOLDER"))]

    assert paths
    for path in paths:
        assert {path, *path.parents} & mounts, path


def test_a_worker_has_the_memory_that_its_images_need() -> None:
    """As docs/docker.md says: 5 GiB for two images at a time, 8 for four."""
    for case, memory in (("defaults", "5120Mi"), ("hpa", "8192Mi"), ("without extras", "8Gi")):
        (container,) = named(render(CASES[case]), "Deployment", "worker")["spec"]["template"]["spec"]["containers"]
        assert container["resources"]["limits"]["memory"] == memory


def test_pods_have_the_time_to_finish() -> None:
    """More than the longest conversion, the drain, and, of a gateway, the requests after it has left the Service."""
    documents = render(CASES["defaults"])
    longest = _load(CASES["defaults"], "worker").worker.timeout_seconds
    seconds = {
        role: named(documents, "Deployment", role)["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        for role in ROLES
    }

    (gateway,) = named(documents, "Deployment", "gateway")["spec"]["template"]["spec"]["containers"]
    *interpreter, pause = gateway["lifecycle"]["preStop"]["exec"]["command"]
    assert interpreter == ["python", "-c"]  # the image has no other program
    (pause_seconds,) = re.findall(r"^import time; time\.sleep\((\d+)\)$", pause)
    assert seconds["gateway"] > int(pause_seconds) + 2 * 30
    assert seconds["worker"] > longest + _DRAIN_SECONDS
    assert seconds["reporter"] > _DRAIN_SECONDS


def test_probes_of_roles_without_a_service_run_the_health_command() -> None:
    """An outage of the servers, which fails it too, does not restart them at once."""
    documents = render(CASES["defaults"])

    for role in ("worker", "reporter"):
        (container,) = named(documents, "Deployment", role)["spec"]["template"]["spec"]["containers"]
        for probe in ("startupProbe", "livenessProbe"):
            assert container[probe]["exec"]["command"] == ["imageconverter", "health", role]
        assert container["livenessProbe"]["periodSeconds"] * container["livenessProbe"]["failureThreshold"] >= 600


def _load(values: Values, role: str) -> Settings:
    """Return the settings of a container of *role*, all of whose variables must be settings."""
    documents = render(values)
    (container,) = named(documents, "Deployment", role)["spec"]["template"]["spec"]["containers"]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _environment(container, documents).items():
            patch.setenv(name, value)
        assert unknown_variables() == []
        return load_settings()


def _environment(container: Document, documents: list[Document]) -> dict[str, str]:
    """Return the variables as the kubelet sets them: those of the ConfigMap first, with references replaced."""
    found: dict[str, Any] = {}
    for source in container["envFrom"]:
        found |= named(documents, "ConfigMap", source["configMapRef"]["name"])["data"]
    for each in container["env"]:
        value = each.get("value") or _secret(each["valueFrom"]["secretKeyRef"]["key"])
        for name, before in found.items():
            value = value.replace(f"$({name})", before)
        found[each["name"]] = value
    return found


def _secret(key: str) -> str:
    return ADDRESS if key == "url" else SECRET
