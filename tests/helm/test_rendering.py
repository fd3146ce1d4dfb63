"""Every resource of the chart is valid, and refers to what exists."""

from typing import Any

import pytest

from imageconverter import __version__
from services.gateway.routes import routes
from tests.helm.chart import CASES, NAMESPACE, Document, Values, named, of_kind, pods, render

EACH = pytest.mark.parametrize("values", CASES.values(), ids=CASES)
CUSTOM = ("ScaledObject", "ServiceMonitor", "PodMonitor", "PrometheusRule")


@EACH
@pytest.mark.parametrize("kubernetes", ["1.27", "1.37"])
def test_kubernetes_accepts_every_resource(values: Values, kubernetes: str) -> None:
    """The strict schemas of Kubernetes know each field; those of custom resources are in `test_custom_resources`."""
    validator = pytest.importorskip("kubernetes_validate", reason="the schemas are not installed: run `make helm`")
    documents = render(values, kubernetes=kubernetes)

    assert len(documents) >= 6
    for each in documents:
        if each["kind"] not in CUSTOM:
            validator.validate(each, kubernetes, strict=True)


@EACH
def test_names_are_unique_and_labeled(values: Values) -> None:
    """No two resources of a kind have the same name; all belong to the release."""
    documents = render(values)
    names = [(each["kind"], each["metadata"]["name"]) for each in documents]

    assert len(names) == len(set(names))
    for each in documents:
        assert each["metadata"]["labels"]["app.kubernetes.io/instance"] == "shop"
        assert each["metadata"].get("namespace") in (None, NAMESPACE)


@EACH
def test_every_selector_finds_its_pods(values: Values) -> None:
    """Deployments, Services, budgets, policies and the pod monitor select the pods of their role, and no others."""
    documents = render(values)
    selectors = {
        (each["kind"], each["metadata"]["name"]): selector
        for each in of_kind(
            documents, "Deployment", "StatefulSet", "Service", "PodDisruptionBudget", "NetworkPolicy", "PodMonitor"
        )
        for selector in [each["spec"].get("selector", each["spec"].get("podSelector"))]
    }

    assert len(selectors) >= 4
    for (kind, name), selector in selectors.items():
        found = {
            pod["metadata"]["labels"]["app.kubernetes.io/component"]
            for pod in pods(documents)
            if _selects(selector if kind != "Service" else {"matchLabels": selector}, pod["metadata"]["labels"])
        }
        assert found == ({"worker", "reporter"} if kind == "PodMonitor" else {name.rpartition("-")[2]}), (kind, name)


def _selects(selector: Document, labels: dict[str, str]) -> bool:
    matches = all(labels.get(key) == value for key, value in selector["matchLabels"].items())
    return matches and all(labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", []))


@EACH
def test_every_named_port_exists(values: Values) -> None:
    """Probes, Services and monitors name ports of containers; the gateway and the metrics have theirs."""
    documents = render(values)
    ports = {
        pod["metadata"]["labels"]["app.kubernetes.io/component"]: {
            port["name"]: port["containerPort"] for port in pod["spec"]["containers"][0].get("ports", [])
        }
        for pod in pods(documents)
    }

    assert ports["gateway"] == {"http": 8005, "liveness": 8018}
    for pod in pods(documents):
        component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        for port in _values_of(pod["spec"], "port"):
            assert port in ports[component], component
    for service in of_kind(documents, "Service"):
        for each in service["spec"]["ports"]:
            assert each["targetPort"] in ports[service["metadata"]["labels"]["app.kubernetes.io/component"]]
    for monitor in of_kind(documents, "PodMonitor"):
        assert {each["port"] for each in monitor["spec"]["podMetricsEndpoints"]} <= set(ports["worker"])
    for monitor in of_kind(documents, "ServiceMonitor"):
        (service,) = [each for each in of_kind(documents, "Service") if each["metadata"]["name"].endswith("-gateway")]
        assert {each["port"] for each in monitor["spec"]["endpoints"]} == {service["spec"]["ports"][0]["name"]}


def _values_of(tree: Any, key: str) -> list[Any]:
    """Return the values of all fields called *key* in the probes of a pod."""
    if isinstance(tree, list):
        return [found for each in tree for found in _values_of(each, key)]
    if not isinstance(tree, dict):
        return []
    return [found for name, each in tree.items() for found in ([each] if name == key else _values_of(each, key))]


@EACH
def test_every_volume_is_mounted(values: Values) -> None:
    """Each mount has a volume, and each volume a mount."""
    for document in of_kind(render(values), "Deployment", "StatefulSet"):
        spec = document["spec"]["template"]["spec"]
        claims = [each["metadata"]["name"] for each in document["spec"].get("volumeClaimTemplates", [])]
        volumes = [each["name"] for each in spec["volumes"]] + claims
        assert sorted(each["name"] for each in spec["containers"][0]["volumeMounts"]) == sorted(volumes)


def test_the_ingress_leads_to_routes_of_the_gateway() -> None:
    """It has paths that exist, but neither the metrics, the health checks nor the previews without credentials."""
    ingress = named(render(CASES["everything"]), "Ingress", "-gateway")
    rules = ingress["spec"]["rules"][0]["http"]["paths"]
    paths = [each["path"] for each in rules]
    prefixes = [each["path"] for each in rules if each["pathType"] == "Prefix"]
    known = {route.path for route in routes()}

    assert {"/", "/content", "/console"} < set(paths)
    for path in paths:
        assert any(each == path or each.startswith(path + "/") for each in known), path
    for private in ("/metrics", "/health", "/imageconverter"):
        assert not any(private == path or private.startswith(path + "/") for path in prefixes)


def test_the_chart_has_the_release() -> None:
    """Without a tag, the image is that of this release."""
    for pod in pods(render(CASES["defaults"])):
        assert pod["spec"]["containers"][0]["image"].endswith(f":{__version__}")
