"""What `imageconverter up` tells a person once everything answers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from imageconverter.settings import Settings
from services.stack import credentials
from services.stack.servers import Server


def welcome(
    settings: Settings, folder: Path, servers: Sequence[Server], kept: Mapping[str, str], *, seconds: float
) -> str:
    """Return where everything is, the credentials that were made here, and what to try."""
    gateway = settings.gateway
    base = f"http://{gateway.host}:{gateway.port}"
    made = credentials.path(folder)
    key = f"{kept[credentials.API_KEY]}   (kept in {made})" if gateway.api_key is None else "as given"
    password = kept[credentials.ADMIN_PASSWORD] if gateway.admin_password is None else "as given"
    own = {server.command.name: f"{server.address}   (embedded, data in {folder})" for server in servers}
    formats = settings.conversion.formats_file or folder / "formats.toml"
    origin = (
        ""
        if Path(formats).exists()
        else "   (the defaults; copy shared/imageconverter/images/formats.toml there to change them)"
    )
    return f"""
imageconverter is ready after {seconds:.1f} s. Ctrl-C stops it.

  gateway   {base}
  API key   {key}
  admin     {gateway.admin_user} / {password}   (ImageConverter API)
  redis     {own.get("redis", "as given")}
  S3        {own.get("s3", settings.storage.endpoint)}   bucket {settings.storage.bucket}
  formats   {formats}{origin}
  logs      {folder / "logs"}

Try it, with an image of your own:

  export KEY={"'<your API key>'" if gateway.api_key else kept[credentials.API_KEY]}
  (printf '{{"fileName":"photo.jpg","formats":["content.imageFormat.normalProduct"],"imageData":"'
   base64 -w0 photo.jpg; printf '"}}') |
    curl -s -H "Authorization: Bearer $KEY" --data-binary @- {base}/images/upload/convert
  then open {base}/content/products/normal/photo.jpg
"""
