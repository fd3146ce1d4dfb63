"""What lighthouse says of the console: ``make lighthouse``, which installs it from npm."""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from tests.testing.running_stack import running_stack

_LIGHTHOUSE = Path(__file__).parents[1] / ".venv" / "lighthouse" / "node_modules" / ".bin" / "lighthouse"
_CHROMIUM = "--headless=new --no-sandbox --disable-gpu --disable-background-networking --disable-component-update"


def main() -> None:
    """Print the scores of the login and of the first page, from 0 to 100."""
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder)) as stack:
        server = f"http://127.0.0.1:{stack.port}"
        for path, cookies in (("/console/login", ""), ("/console/", _cookies(server, stack.api_key))):
            report = Path(folder) / "report.json"
            command = [str(_LIGHTHOUSE), server + path, "--quiet", "--output=json", f"--output-path={report}"]
            headers = json.dumps({"Cookie": cookies})
            subprocess.run(
                [*command, f"--chrome-flags={_CHROMIUM}", f"--extra-headers={headers}"],
                check=True,
                env={**os.environ, "CHROME_PATH": shutil.which("chromium") or ""},
            )
            categories = json.loads(report.read_text(encoding="utf-8"))["categories"]
            print(path, ", ".join(f"{name}: {100 * each['score']:.0f}" for name, each in categories.items()))


def _cookies(server: str, key: str) -> str:
    """Log in; returns the cookies as a browser sends them."""
    body = json.dumps({"apiKey": key}).encode()
    request = urllib.request.Request(f"{server}/admin/api/v1/login?setCookie", data=body, method="POST")  # noqa: S310
    with urllib.request.urlopen(request) as response:  # noqa: S310 - loopback
        return "; ".join(each.partition(";")[0] for each in response.headers.get_all("Set-Cookie"))


if __name__ == "__main__":
    main()
