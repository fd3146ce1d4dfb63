import os
from pathlib import Path

import requests

server = "http://127.0.0.1:8005"
session = requests.Session()
session.headers["Authorization"] = f"Bearer {os.environ['KEY']}"

# Upload photo.jpg and convert it to two formats
formats = ["content.imageFormat.normalProduct", "content.imageFormat.thumbnailProduct"]
with Path("photo.jpg").open("rb") as photograph:
    response = session.post(
        f"{server}/images/upload/convert",
        params={"fileName": "photo.jpg", "formats": ",".join(formats)},
        data=photograph,
    )
response.raise_for_status()

# Download the results; everybody may
for result, name in zip(response.json()["items"], ["normal.jpg", "thumbnail.jpg"], strict=True):
    print(result["format"], result["status"], result["output"])
    image = session.get(f"{server}/content/{result['output']}")
    image.raise_for_status()
    Path(name).write_bytes(image.content)
