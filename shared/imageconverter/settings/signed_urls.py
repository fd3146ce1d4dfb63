"""Settings of signed URLs."""

from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from imageconverter.settings.part import PREFIX, Part

_TYPES: Final = frozenset({"jpg", "png", "webp", "avif"})


class SignedUrlSettings(Part):
    """Who signs URLs of sizes that are made on request, and what these may ask for."""

    title = "Signed URLs"
    model_config = SettingsConfigDict(env_prefix=PREFIX + "SIGNED_URL_", env_ignore_empty=True, frozen=True)

    keys: SecretStr | None = Field(
        default=None,
        description="Keys that sign URLs of sizes made on request: each 32 to 64 bytes in hexadecimal digits, the "
        "same for all gateways; several are separated by spaces, and each of them is accepted. Not given: such URLs "
        "are disabled. See docs/signed-urls.md.",
    )
    keys_file: Path | None = Field(
        default=None, description="File with those keys instead; it may change without a restart."
    )
    max_side: int = Field(
        default=2048,
        ge=1,
        le=16_384,
        description="Largest width and height that a signed URL may ask for, in pixels.",
    )
    types: str = Field(
        default="jpg, png, webp, avif",
        description="File types that a signed URL may ask for, separated by commas.",
    )

    @field_validator("types")
    @classmethod
    def _are_types(cls, value: str) -> str:
        if unknown := sorted(_listed(value) - _TYPES):
            raise ValueError(f"{unknown[0]!r} is not one of {', '.join(sorted(_TYPES))}")
        return value

    @property
    def type_names(self) -> frozenset[str]:
        """The file types of `types`."""
        return _listed(self.types)


def _listed(text: str) -> frozenset[str]:
    return frozenset(each.strip() for each in text.split(","))
