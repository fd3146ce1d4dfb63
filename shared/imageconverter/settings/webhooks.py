"""Settings of webhooks."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from imageconverter.settings.part import PREFIX, Part, split_list


class WebhookSettings(Part):
    """Where the reporter sends webhooks to, and what they are signed with."""

    title = "Webhooks"
    model_config = SettingsConfigDict(env_prefix=PREFIX + "WEBHOOK_", env_ignore_empty=True, frozen=True)

    urls: SecretStr | None = Field(
        default=None,
        description="Endpoints that webhooks are sent to, as `https://…` or `http://…`, separated by commas; "
        "for the reporter. Not given: none. See docs/webhooks.md.",
    )
    secret: SecretStr | None = Field(
        default=None,
        description="Secret that signs webhooks: `whsec_` and 24 to 64 bytes in base64. Required if there are "
        "endpoints. While it is replaced: the new and the old one, separated by a space.",
    )
    secret_file: Path | None = Field(default=None, description="File with that secret instead.")
    events: str = Field(
        default="run.finished, report.ready, cleanup.finished, dead_letter.created",
        description="Types of the events that are sent, separated by commas.",
    )
    private_hosts: str = Field(
        default="", description="Hosts with private addresses that webhooks may be sent to, separated by commas."
    )
    timeout_seconds: float = Field(
        default=15, gt=0, le=30, description="Time after which an attempt without a response fails, in seconds."
    )

    @property
    def private_host_names(self) -> list[str]:
        """The hosts of `private_hosts`."""
        return split_list(self.private_hosts)
