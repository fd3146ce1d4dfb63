"""Signed URLs of images in sizes that are made on request."""

import hmac
from base64 import urlsafe_b64encode
from urllib.parse import quote


def signed_path(key: str, options: str, path: str) -> str:
    """Return the path of the URL for the source at *path* with these *options*, such as `rs:fit:300:200/q:80`.

    *key* has hexadecimal digits. Raises ValueError if it has not, or if the first segment of *path* has a colon: that
    would be an option.
    """
    if ":" in path.partition("/")[0]:
        raise ValueError("the first segment of the path has a colon")
    digest = hmac.digest(bytes.fromhex(key), f"/{options}/{path}".encode(), "sha256")
    return f"/content/_/{urlsafe_b64encode(digest).decode().rstrip('=')}/{options}/{quote(path)}"
