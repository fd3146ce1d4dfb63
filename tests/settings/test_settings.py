"""Settings from the environment and from secret files."""

from pathlib import Path

import pytest

from imageconverter.settings import SettingsError, load_settings, loading, unknown_variables, variables


def test_everything_has_a_default_that_is_safe() -> None:
    """Nothing set: loopback, no key, no password."""
    loaded = load_settings()

    assert loaded.gateway.host == "127.0.0.1"
    assert loaded.gateway.port == 8005
    assert loaded.gateway.api_key is None
    assert loaded.gateway.admin_password is None


def test_each_fault_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """All errors are reported together, one line each."""
    monkeypatch.setenv("IMAGECONVERTER_PORT", "http")
    monkeypatch.setenv("IMAGECONVERTER_S3_ENDPOINT", "minio:9000")
    monkeypatch.setenv("IMAGECONVERTER_WORKER_CHILDREN", "-1")

    with pytest.raises(SettingsError) as caught:
        load_settings()

    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "IMAGECONVERTER_PORT",
        "IMAGECONVERTER_S3_ENDPOINT",
        "IMAGECONVERTER_WORKER_CHILDREN",
    ]


def test_a_fault_does_not_show_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The value at fault is not repeated: it may be a password in the wrong variable."""
    monkeypatch.setenv("IMAGECONVERTER_PORT", "hunter2")

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert "hunter2" not in str(caught.value)


def test_an_empty_variable_counts_as_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files pass on empty variables; an empty key would be a key that everybody has."""
    monkeypatch.setenv("IMAGECONVERTER_API_KEY", "")

    assert load_settings().gateway.api_key is None


def test_a_secret_file_gives_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker and Kubernetes mount secrets as files."""
    (tmp_path / "imageconverter_s3_secret_key").write_text("from a file\n")
    monkeypatch.setattr(loading, "SECRETS_DIR", tmp_path)

    secret = load_settings().storage.secret_key

    assert secret is not None
    assert secret.get_secret_value() == "from a file"


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A settings object in a log line or a traceback shows no secret."""
    monkeypatch.setenv("IMAGECONVERTER_API_KEY", "hunter2")
    monkeypatch.setenv("IMAGECONVERTER_REDIS_URL", "redis://:hunter2@127.0.0.1/0")

    assert "hunter2" not in repr(load_settings())


def test_a_slip_in_a_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable with our prefix that means nothing is listed."""
    monkeypatch.setenv("IMAGECONVERTER_PROT", "8006")

    assert unknown_variables() == ["IMAGECONVERTER_PROT"]


def test_every_variable_is_described() -> None:
    """The table in the documents is made from these."""
    assert all(variable.description.endswith(".") for variable in variables())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "127.0.0.1:8005/content"),
        ("content.myshop.localhost", "content.myshop.localhost"),
        ("https://cdn.example/shop/", "cdn.example/shop"),
        ("//cdn.example", "cdn.example"),
    ],
)
def test_the_content_host_is_written_in_any_usual_way(
    given: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With or without scheme and slashes; not given, it is the gateway itself."""
    monkeypatch.setenv("IMAGECONVERTER_CONTENT_HOST", given)

    assert load_settings().gateway.content_base == expected
