"""Which formats file and which subshops file the roles of this machine use."""

from pathlib import Path

from imageconverter.settings import Settings


def formats_file(settings: Settings) -> Path | None:
    """Return the configured file, else that in the data folder of `up`; None for the shipped defaults."""
    default = settings.process.data_dir / "formats.toml"
    return settings.conversion.formats_file or (default if default.exists() else None)


def subshops_file(settings: Settings) -> Path | None:
    """Return the configured file, else that in the data folder of `up`, if there is one."""
    default = settings.process.data_dir / "subshops.toml"
    return settings.conversion.subshops_file or (default if default.exists() else None)
