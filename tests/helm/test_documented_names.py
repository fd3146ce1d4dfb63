"""The commands in docs/kubernetes.md name what the chart makes."""

import re

from tests.documents.code_blocks import ROOT
from tests.helm.chart import CASES, RELEASE, named, of_kind, render


def test_the_commands_name_deployments_and_services_of_the_chart() -> None:
    """With the name of the release that the document uses; a worker has what `imageconverter backup` needs."""
    text = (ROOT / "docs" / "kubernetes.md").read_text()
    documents = render(CASES["defaults"])
    found = set(re.findall(r"(deployment|service)/images-(imageconverter-\w+)", text))

    assert ("deployment", "imageconverter-worker") in found
    for kind, name in found:
        names = [each["metadata"]["name"] for each in of_kind(documents, kind.capitalize())]
        assert f"{RELEASE}-{name}" in names
    (container,) = named(documents, "Deployment", "-worker")["spec"]["template"]["spec"]["containers"]
    variables = {each["name"] for each in container["env"]}
    assert {"IMAGECONVERTER_REDIS_URL", "IMAGECONVERTER_S3_ACCESS_KEY", "IMAGECONVERTER_S3_SECRET_KEY"} <= variables
