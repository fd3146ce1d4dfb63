"""The message that `imageconverter up` prints when the stack is ready."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from imageconverter.settings import Settings
from services.runtime.roles import local_gateway_url
from services.stack import credentials
from services.stack.servers import Server

CONSOLE: Final = "/console/"


def login_path(key: str) -> str:
    """Return the path that logs in with *key* and leads to the console. Browsers do not send the key in it."""
    return f"{CONSOLE}login#key={quote(key, safe='')}"


def welcome(
    settings: Settings, folder: Path, servers: Sequence[Server], stored: Mapping[str, str] | None, *, seconds: float
) -> str:
    """Return the addresses, the generated credentials in *stored* and an example.

    The address of the console logs in. Without *stored*, only the file with the credentials is named: the message may
    be kept in a log.
    """
    gateway = settings.gateway
    base = f"http://{gateway.host}:{gateway.port}"
    console = f"{local_gateway_url(gateway)}{CONSOLE}"
    credentials_file = credentials.path(folder)
    key = f"in {credentials_file}"
    password = "see there"  # noqa: S105 - no password
    export = f"$(sed -n 's/^{credentials.API_KEY}=//p' {credentials_file})"
    if stored is not None:
        key = f"{stored[credentials.API_KEY]}   (stored in {credentials_file})"
        password, export = stored[credentials.ADMIN_PASSWORD], stored[credentials.API_KEY]
        if gateway.api_key is None:
            console = f"{local_gateway_url(gateway)}{login_path(stored[credentials.API_KEY])}"
    if gateway.api_key is not None:
        key, export = "as configured", "'<your API key>'"
    if gateway.admin_password is not None or gateway.admin_password_file is not None:
        password = "as configured"  # noqa: S105
    embedded = {server.command.name: f"{server.address}   (embedded, data in {folder})" for server in servers}
    formats = settings.conversion.formats_file or folder / "formats.toml"
    shipped = "shared/imageconverter/images/formats.toml"
    formats_line = (
        str(formats) if formats.exists() else f"built-in defaults; to change them, copy {shipped} to {formats}"
    )
    return f"""
imageconverter is ready after {seconds:.1f} s. Ctrl-C stops it.

Open this in a browser, and drop an image:

  console   {console}

  gateway   {base}
  API key   {key}
  admin     {gateway.admin_user} / {password}   (ImageConverter API)
  redis     {embedded.get("redis", "as configured")}
  S3        {embedded.get("s3", settings.storage.endpoint)}   bucket {settings.storage.bucket}
  formats   {formats_line}
  logs      {folder / "logs"}

Or without a browser, with an image of your own:

  export KEY={export}
  curl -H "Authorization: Bearer $KEY" -F file=@photo.jpg -F formats=content.imageFormat.normalProduct \\
    {base}/images/upload/convert
  then open {base}/content/products/normal/photo.jpg
"""
