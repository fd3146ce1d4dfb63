"""The resources of KEDA and the Prometheus Operator: valid by their schemas, and about metrics that exist."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from imageconverter.jobs import QueueName
from tests.documents.metrics_reference import metrics_table
from tests.helm.chart import CASES, Document, named, of_kind, pods, render

_FOLDER = Path(sys.prefix) / "helm"
_KINDS = {
    "ScaledObject": "@kubernetes-models/keda/keda.sh/v1alpha1",
    "ServiceMonitor": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
    "PodMonitor": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
    "PrometheusRule": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
}
_CASES = ("everything", "keda with prometheus")


def _custom(case: str) -> list[Document]:
    return of_kind(render(CASES[case]), *_KINDS)


def _run(program: str, *arguments: str | Path) -> str:
    """Run a program of Node with the schemas, and return what it prints; skips the test if they are not installed."""
    if not (_FOLDER / "node_modules").exists():
        pytest.skip("the schemas of custom resources are not installed: run `make helm`")
    finished = subprocess.run(
        [program, *arguments], cwd=_FOLDER, capture_output=True, text=True, check=False, timeout=100
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def _imports() -> str:
    return "\n".join(f'import {{ {kind} }} from "{module}";' for kind, module in _KINDS.items())


def _type_check(documents: list[Document], folder: Path) -> str:
    """Return what the TypeScript compiler says about *documents* as objects of their types; it knows each field."""
    lines = [f"const d{number}: I{each['kind']} = {json.dumps(each)};" for number, each in enumerate(documents)]
    imports = "\n".join(f'import type {{ I{kind} }} from "{module}";' for kind, module in _KINDS.items())
    (folder / "documents.ts").write_text("\n".join([imports, *lines]))
    (folder / "node_modules").symlink_to(_FOLDER / "node_modules")
    (folder / "tsconfig.json").write_text((_FOLDER / "tsconfig.json").read_text())
    return _run("node_modules/.bin/tsc", "--project", folder)


@pytest.mark.parametrize("case", _CASES)
def test_custom_resources_are_valid(case: str) -> None:
    """Types, patterns and what is required, by the validators that are made from the definitions."""
    documents = _custom(case)
    assert documents
    checks = "\n".join(f"new {each['kind']}({json.dumps(each)}).validate();" for each in documents)
    _run("node", "--input-type=module", "--eval", f"{_imports()}\n{checks}")


@pytest.mark.slow
def test_custom_resources_have_no_unknown_fields(tmp_path: Path) -> None:
    """The cluster would drop them; the compiler finds them, and the one that is added here."""
    documents = [each for case in _CASES for each in _custom(case)]
    (tmp_path / "as-they-are").mkdir()
    _type_check(documents, tmp_path / "as-they-are")

    documents[0]["spec"]["misspelled"] = 1
    (tmp_path / "changed").mkdir()
    with pytest.raises(AssertionError, match="misspelled"):
        _type_check(documents, tmp_path / "changed")


@pytest.mark.parametrize("case", _CASES)
def test_workers_are_scaled_by_depth_and_age_of_the_queues(case: str) -> None:
    """The triggers name series of /metrics, for every queue that workers serve."""
    documents = render(CASES[case])
    scaled = named(documents, "ScaledObject", "-worker")["spec"]
    series = [
        found
        for each in scaled["triggers"]
        for found in re.findall(
            r'(\w+)\{lane="(\w+)"', each["metadata"].get("query") or each["metadata"]["valueLocation"]
        )
    ]
    worker = named(documents, "Deployment", "-worker")

    assert {queue for name, queue in series if name == "imageconverter_queue_jobs"} == {
        *QueueName,
    } - {QueueName.SCAN}
    assert {queue for name, queue in series if name == "imageconverter_queue_oldest_seconds"} == {
        "interactive",
        "batch",
    }
    assert all(f"`{name}`" in metrics_table() for name, _ in series)
    assert scaled["scaleTargetRef"]["name"] == worker["metadata"]["name"]
    assert "replicas" not in worker["spec"]


def test_keda_reads_the_metrics_of_the_gateway() -> None:
    """Without a Prometheus, from its Service, by its full name: KEDA runs in another namespace."""
    documents = render(CASES["everything"])
    service = named(documents, "Service", "-gateway")
    address = f"http://{service['metadata']['name']}.images:{service['spec']['ports'][0]['port']}/metrics"

    for each in named(documents, "ScaledObject", "-worker")["spec"]["triggers"]:
        assert (each["type"], each["metadata"]["url"], each["metadata"]["format"]) == (
            "metrics-api",
            address,
            "prometheus",
        )


def test_the_jobs_of_prometheus_are_the_roles() -> None:
    """The alerts and the dashboard expect these names, which are labels of the Service and of the pods."""
    documents = render(CASES["everything"])

    for monitor in of_kind(documents, "ServiceMonitor", "PodMonitor"):
        assert monitor["spec"]["jobLabel"] == "app.kubernetes.io/component"
    roles = {pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in pods(documents)}
    (rule,) = of_kind(documents, "PrometheusRule")
    jobs = set(re.findall(r'job="(\w+)"', json.dumps(rule["spec"]).replace('\\"', '"')))
    assert jobs
    assert jobs <= roles
