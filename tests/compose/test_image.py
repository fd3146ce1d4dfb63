"""The image of the roles: small, unprivileged, and without what an intruder could use."""

import pytest

from release import image
from tests.compose.stack import IMAGE, Stack, docker, run

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("stack")]


def test_the_image_is_small_and_has_no_root() -> None:
    """400 MB, not compressed, and a numeric user, so that Kubernetes can verify that it is not root."""
    assert 100_000_000 < image.check(IMAGE) <= 400_000_000
    assert docker("run", "--rm", "--entrypoint", "python", IMAGE, "-c", "import os; print(os.getuid())") == "10001\n"


@pytest.mark.parametrize("program", ["sh", "bash", "apt-get", "dpkg", "perl", "pip", "gcc"])
def test_the_image_has_no_other_program_than_python(program: str) -> None:
    """Neither a shell nor a package manager."""
    attempt = run("docker", "run", "--rm", "--entrypoint", program, IMAGE)

    assert "executable file not found" in attempt.stderr


def test_what_is_imported_is_compiled(stack: Stack) -> None:
    """A read-only container would compile it at each start and each health check."""
    code = (
        "import sys, pathlib, services.worker.main, services.gateway.main, services.reporter.main\n"
        "files = [m.__cached__ for m in list(sys.modules.values()) if getattr(m, '__cached__', None)]\n"
        "print(*[f for f in files if not pathlib.Path(f).exists()], len(files) > 500)"
    )

    assert docker("exec", stack.containers("worker")[0], "python", "-c", code) == "True\n"


def test_the_image_has_the_licenses() -> None:
    """The list of all, and those of Debian's packages, which scanners find as well."""
    code = (
        "import pathlib\n"
        "print(*pathlib.Path('/opt').glob('**/imageconverter_stack-*/licenses/docs/licenses.md'))\n"
        "print(*sorted(path.name for path in pathlib.Path('/var/lib/dpkg/status.d').iterdir()))"
    )
    page, packages = docker("run", "--rm", "--entrypoint", "python", IMAGE, "-c", code).splitlines()

    assert page
    assert {"libc6", "libssl3", "ca-certificates", "zlib1g"} <= set(packages.split())
