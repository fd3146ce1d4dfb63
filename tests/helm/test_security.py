"""What a pod of the chart may do, who may connect to it, and where its secrets are."""

import json
from pathlib import Path

import pytest

from tests.helm.chart import CASES, PASSED_SECRETS, Document, Values, named, of_kind, pods, render

EACH = pytest.mark.parametrize("values", CASES.values(), ids=CASES)
_DOCKERFILE = Path(__file__).parents[2] / "Dockerfile"


@EACH
def test_every_pod_satisfies_the_restricted_standard(values: Values) -> None:
    """As the Pod Security Standards define it, and with a read-only file system."""
    for pod in pods(render(values)):
        spec = pod["spec"]
        context = spec["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] > 0
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(spec)
        for volume in spec["volumes"]:
            assert set(volume) - {"name"} <= {"configMap", "secret", "emptyDir"}
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "memory" in container["resources"]["limits"]
            assert all("hostPort" not in port for port in container.get("ports", []))


@EACH
def test_the_roles_are_the_user_of_the_image(values: Values) -> None:
    """A number, so that the kubelet can verify that it is not root, and so that the work folder is writable."""
    for role in of_kind(render(values), "Deployment"):
        context = role["spec"]["template"]["spec"]["securityContext"]
        assert f"USER {context['runAsUser']}:{context['runAsGroup']}\n" in _DOCKERFILE.read_text()
        assert context["fsGroup"] == context["runAsGroup"]


@EACH
def test_no_pod_can_use_the_api_of_the_cluster(values: Values) -> None:
    """There is a token in none, and the variables of Services, which begin like settings, are off."""
    for pod in pods(render(values)):
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["enableServiceLinks"] is False


@EACH
def test_secrets_are_references(values: Values) -> None:
    """The only resource with values of secrets is the Secret, and that exists only if they were passed."""
    documents = render(values)
    passed = values["secret"].get("create", {})

    assert len(of_kind(documents, "Secret")) == bool(passed)
    for each in documents:
        if each["kind"] == "Secret":
            assert each["stringData"] == passed
        else:
            assert not any(secret in json.dumps(each) for secret in PASSED_SECRETS.values())


def test_only_the_gateway_has_its_credentials() -> None:
    """Workers and reporters, which decode images and read catalogs, have neither the API key nor the password."""
    documents = render(CASES["defaults"])

    for role in ("worker", "reporter"):
        text = json.dumps(named(documents, "Deployment", role))
        assert not any(key in text for key in ("api-key", "admin-password", "token-secret"))


@EACH
def test_every_pod_has_a_policy(values: Values) -> None:
    """It restricts both directions, unless policies are off."""
    documents = render(values)
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind(documents, "NetworkPolicy")}

    if values.get("networkPolicy", {}).get("enabled", True):
        workloads = of_kind(documents, "Deployment", "StatefulSet")
        assert set(policies) == {each["metadata"]["name"] for each in workloads}
    else:
        assert not policies
    for each in policies.values():
        assert each["policyTypes"] == ["Ingress", "Egress"]


def test_only_the_gateway_can_be_reached() -> None:
    """Others accept the monitoring on the port of metrics, and bundled servers the roles; they connect to nothing."""
    documents = render(CASES["bundled"])
    policies = {
        each["metadata"]["name"].rpartition("-")[2]: each["spec"] for each in of_kind(documents, "NetworkPolicy")
    }

    assert policies["gateway"]["ingress"] == [{"ports": [{"port": 8005, "protocol": "TCP"}]}]
    for role in ("worker", "reporter"):
        (rule,) = policies[role]["ingress"]
        (peer,) = rule["from"]
        assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}
        assert rule["ports"] == [{"port": 9100, "protocol": "TCP"}]
    for server, port in (("redis", 6379), ("s3", 9000)):
        (rule,) = policies[server]["ingress"]
        assert rule["ports"] == [{"port": port, "protocol": "TCP"}]
        (roles,) = rule["from"][0]["podSelector"]["matchExpressions"]
        assert roles["values"] == ["gateway", "worker", "reporter"]
        assert "egress" not in policies[server]


@pytest.mark.parametrize(
    ("case", "redis", "s3"),
    [
        ("defaults", [6379], 443),
        ("servers elsewhere", [6380], 9000),
        ("bundled", [6379], 9000),
        ("redis by url", [6379, 26379], 443),
    ],
)
def test_roles_connect_to_redis_the_store_and_dns(case: str, redis: list[int], s3: int) -> None:
    """Each on its port, which is that of the endpoint; also to the Sentinels."""
    has_peers = case in ("servers elsewhere", "bundled")
    documents = render(CASES[case])

    for role in ("gateway", "worker", "reporter"):
        rules = named(documents, "NetworkPolicy", role)["spec"]["egress"]
        assert [_ports(each) for each in rules] == [[53, 53], *([port] for port in redis), [s3]]
        assert [bool(each.get("to")) for each in rules] == [True, *(has_peers for _ in redis), has_peers]


def _ports(rule: Document) -> list[int]:
    return [each["port"] for each in rule["ports"]]
