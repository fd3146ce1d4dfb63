"""The address of Redis, directly or by Sentinels."""

import pytest

from imageconverter.settings import RedisSettings, SettingsError, load_settings
from imageconverter.settings.sentinel_address import SentinelAddress


@pytest.mark.parametrize(
    ("url", "sentinels", "master", "server"),
    [
        ("redis+sentinel://a/images", [("a", 26379)], "images", "redis://images/"),
        (
            "rediss+sentinel://user:p%40ss@a:1,b.example.org,[::1]:3/images/2?ssl_check_hostname=no",
            [("a", 1), ("b.example.org", 26379), ("::1", 3)],
            "images",
            "rediss://user:p%40ss@images/2?ssl_check_hostname=no",
        ),
        ("redis+sentinel://:secret@a:1/my-master_1", [("a", 1)], "my-master_1", "redis://:secret@my-master_1/"),
    ],
)
def test_the_address_of_sentinels(url: str, sentinels: list[tuple[str, int]], master: str, server: str) -> None:
    """Hosts with and without ports, the master's name, and everything that is meant for the master."""
    assert SentinelAddress.parse(url) == (sentinels, master, server)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis.example.org:6379", "must begin with redis://"),
        ("http+sentinel://secret@a/images", "must begin with redis://"),
        ("redis+sentinel://:secret@a:26379", "must name the master"),
        ("redis+sentinel://:secret@a:26379/images/zero", "the number of a database"),
        ("redis+sentinel://:secret@/images", "must have hosts"),
        ("redis+sentinel://:secret@a:1:2,b/images", "must have hosts"),
        ("redis+sentinel://:secret@a:99999/images", "must have hosts"),
        ("redis+sentinel://:secret@a,/images", "must have hosts"),
    ],
)
def test_an_invalid_address_is_explained(url: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its variable, without the password."""
    monkeypatch.setenv("IMAGECONVERTER_REDIS_URL", url)

    with pytest.raises(SettingsError, match=rf"^IMAGECONVERTER_REDIS_URL: .*{reason}") as caught:
        load_settings()

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis://a", "rediss://:b@a:6379/1", "unix:///run/redis.sock?db=1"])
def test_the_address_of_a_server(url: str) -> None:
    """As before there were Sentinels."""
    settings = RedisSettings(url=url)

    assert settings.url is not None
    assert settings.url.get_secret_value() == url


def test_a_file_of_tls_has_to_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typo in its name is found at the start, and does not look as if Redis were unavailable."""
    monkeypatch.setenv("IMAGECONVERTER_REDIS_CA_FILE", "/nowhere/ca.pem")

    with pytest.raises(SettingsError, match=r"^IMAGECONVERTER_REDIS_CA_FILE: "):
        load_settings()
