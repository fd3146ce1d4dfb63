"""docker/minio-setup.sh with a program instead of MinIO's client that records what it gets."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECRET = "the-secret-of-the-roles"
CLIENT = """#!/bin/sh
echo "$*" >> "$RECORD/arguments"
case "$*" in
  *"policy create"*) for file; do :; done; cp "$file" "$RECORD/policy" ;;
  *"user add"*) cat > "$RECORD/user" ;;
  *"user info"*) echo "{\\"policyName\\": \\"$ATTACHED\\"}" ;;
esac
"""


def record(folder: Path, *, attached: str = "", **settings: str) -> list[str]:
    """Run the script; returns the arguments of each call of the client."""
    (folder / "mc").write_text(CLIENT)
    (folder / "mc").chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "RECORD": str(folder), "ATTACHED": attached}
    secrets = {"S3_ACCESS_KEY": "roles", "S3_SECRET_KEY": SECRET}
    script = ["sh", str(ROOT / "docker" / "minio-setup.sh")]
    subprocess.run(script, env={**environment, **secrets, **settings}, check=True)
    return (folder / "arguments").read_text().splitlines()


def documented_policy() -> str:
    """Return the policy in docs/servers.md."""
    text = (ROOT / "docs" / "servers.md").read_text()
    (policy,) = re.findall(r"## S3 permissions.*?```json\n(.*?)```", text, re.DOTALL)
    return str(policy)


@pytest.mark.parametrize("bucket", ["imageconverter", "another-bucket"])
def test_the_user_gets_the_documented_policy(tmp_path: Path, bucket: str) -> None:
    """For the bucket of the settings."""
    settings = {} if bucket == "imageconverter" else {"IMAGECONVERTER_S3_BUCKET": bucket}
    calls = record(tmp_path, **settings)

    expected = documented_policy().replace(":::imageconverter", f":::{bucket}")
    assert json.loads((tmp_path / "policy").read_text()) == json.loads(expected)
    assert calls[0] == f"mb --ignore-existing local/{bucket}"
    assert calls[-1] == "admin policy attach local imageconverter --user roles"


def test_the_secret_is_not_among_the_arguments(tmp_path: Path) -> None:
    """It is read from a pipe, after the name."""
    calls = record(tmp_path)

    assert (tmp_path / "user").read_text().splitlines() == ["roles", SECRET]
    assert not any(SECRET in call for call in calls)


def test_a_policy_that_is_attached_is_not_attached_again(tmp_path: Path) -> None:
    """MinIO reports that as an error."""
    assert not any("policy attach" in call for call in record(tmp_path, attached="imageconverter"))
