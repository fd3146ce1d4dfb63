"""Rendering the chart, and the values for which the tests render it."""

import json
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).parents[2] / "helm" / "imageconverter"
RELEASE, NAMESPACE = "shop", "images"

Document = dict[str, Any]
Values = dict[str, Any]

_SECRET_KEYS = ("api-key", "admin-password", "token-secret", "redis-password", "s3-access-key", "s3-secret-key")
PASSED_SECRETS = {key: f"passed {number} value" for number, key in enumerate(_SECRET_KEYS)}

_EXTERNAL: Values = {
    "image": {"repository": "registry.example.org/imageconverter"},
    "secret": {"existing": "images-secrets"},
    "redis": {"host": "redis.example.org"},
    "s3": {"endpoint": "https://s3.example.org"},
}
_BUNDLED: Values = {
    "image": {"repository": "registry.example.org/imageconverter", "digest": f"sha256:{'0' * 64}"},
    "secret": {"create": PASSED_SECRETS},
    "redis": {"bundled": {"enabled": True}},
    "s3": {"bundled": {"enabled": True}},
}
_PEER: Values = {"ipBlock": {"cidr": "192.0.2.0/24"}}

CASES: dict[str, Values] = {
    "defaults": _EXTERNAL,
    "bundled": _BUNDLED,
    "servers elsewhere": {
        **_EXTERNAL,
        "redis": {"tls": True, "host": "r.example.org", "port": 6380, "user": "", "database": 3},
        "s3": {
            "endpoint": "http://minio:9000",
            "publicEndpoint": "https://s3.example.org",
            "secret": {"name": "bucket", "accessKey": "AWS_ACCESS_KEY_ID", "secretKey": "AWS_SECRET_ACCESS_KEY"},
        },
        "networkPolicy": {"redis": [_PEER], "s3": [_PEER]},
    },
    "redis by url": {**_EXTERNAL, "redis": {"secret": {"name": "redis", "url": "url"}, "sentinelPort": 26379}},
    "hpa": {
        **_EXTERNAL,
        "gateway": {"autoscaling": {"enabled": True}},
        "worker": {"autoscaling": {"type": "hpa"}, "images": 4},
    },
    "keda with prometheus": {
        **_EXTERNAL,
        "worker": {"autoscaling": {"type": "keda", "keda": {"prometheus": "http://prometheus.monitoring:9090"}}},
    },
    "without extras": {
        **_EXTERNAL,
        "gateway": {"replicas": 1, "secret": {"adminPassword": "", "tokenSecret": ""}},
        "worker": {"replicas": 1, "sandbox": "prefer", "resources": {"limits": {"memory": "8Gi"}}},
        "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
        "metrics": {"enabled": False},
    },
    "everything": {
        **_BUNDLED,
        "fullnameOverride": "converter",
        "imagePullSecrets": ["registry"],
        "settings": {"IMAGECONVERTER_LOG_LEVEL": "debug", "IMAGECONVERTER_CONTENT_MAX_AGE": "1000000"},
        "formats": {"content": '[[format]]\nid = "own"\n'},
        "subshops": '[[subshop]]\nid = "main"\n',
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca", "readOnly": True}],
        "gateway": {
            "replicas": 3,
            "apiKeysSecret": "keys",
            "autoscaling": {"enabled": True},
            "service": {"type": "LoadBalancer", "port": 8080, "annotations": {"example.org/pool": "a"}},
            "pod": {
                "annotations": {"a": "b"},
                "labels": {"team": "shop"},
                "nodeSelector": {"kubernetes.io/arch": "amd64"},
                "tolerations": [{"key": "images", "operator": "Exists"}],
                "affinity": {"nodeAffinity": {}},
                "topologySpreadConstraints": [
                    {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
                ],
                "priorityClassName": "high",
            },
        },
        "worker": {"autoscaling": {"type": "keda"}},
        "reporter": {"secretSettings": {"IMAGECONVERTER_WEBHOOK_URLS": {"name": "hooks", "key": "urls"}}},
        "ingress": {"enabled": True, "className": "nginx", "host": "images.example.org", "tlsSecret": "tls"},
        "networkPolicy": {"clients": [_PEER], "reporterEgress": [{"ports": [{"port": 443}]}]},
        "metrics": {
            "serviceMonitor": True,
            "podMonitor": True,
            "prometheusRule": True,
            "labels": {"release": "prometheus"},
        },
    },
}


def render(values: Values, *, kubernetes: str = "1.37") -> list[Document]:
    """Return what Helm makes of the chart for *values*, as for a cluster that has all custom resources.

    Skips the test if Helm's code is not installed; raises RuntimeError with Helm's message if it refuses the values.
    """
    documents: list[Document] = json.loads(_rendered(json.dumps(values), kubernetes))
    return documents


@cache
def _rendered(values: str, kubernetes: str) -> str:
    if find_spec("helm_python") is None:
        pytest.skip("Helm's code is not installed: run `make helm`")
    options = {
        "name": RELEASE,
        "namespace": NAMESPACE,
        "is_install": True,
        "kube_version": f"v{kubernetes}.0",
        "api_versions": ["keda.sh/v1alpha1", "monitoring.coreos.com/v1"],
        "strict": True,
    }
    finished = subprocess.run(
        [sys.executable, Path(__file__).with_name("program.py"), CHART],
        input=f"[{values}, {json.dumps(options)}]",
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise RuntimeError(finished.stderr)
    rendered = finished.stdout
    files: dict[str, str] = json.loads(rendered)
    documents = [
        document
        for name, text in sorted(files.items())
        if name.endswith(".yaml")
        for document in yaml.safe_load_all(text)
        if document
    ]
    return json.dumps(documents)


def of_kind(documents: list[Document], *kinds: str) -> list[Document]:
    """Return the documents of these kinds."""
    return [each for each in documents if each["kind"] in kinds]


def named(documents: list[Document], kind: str, suffix: str) -> Document:
    """Return the one document of this kind whose name ends with *suffix*."""
    (found,) = [each for each in of_kind(documents, kind) if each["metadata"]["name"].endswith(suffix)]
    return found


def pods(documents: list[Document]) -> list[Document]:
    """Return the pod templates of all Deployments and StatefulSets."""
    templates: list[Document] = [each["spec"]["template"] for each in of_kind(documents, "Deployment", "StatefulSet")]
    return templates
