import json
import os
from pathlib import Path

import requests

server = "http://127.0.0.1:8005"
session = requests.Session()
session.headers["Authorization"] = f"Bearer {os.environ['KEY']}"

# Keep photo.jpg as a source in the directory "products"
with Path("photo.jpg").open("rb") as photograph:
    session.put(f"{server}/images/sources/products/photo.jpg", data=photograph).raise_for_status()

# Convert all images of the directory
run = {
    "action": "manual",
    "source": "directory",
    "directory": "products",
    "formatList": ["content.imageFormat.thumbnailProduct"],
}
session.post(f"{server}/images/convert/start", json=run).raise_for_status()

# Follow the progress until the run has ended
with session.get(f"{server}/images/convert/events", stream=True) as events:
    for line in events.iter_lines():
        if line.startswith(b"data: "):
            progress = json.loads(line[6:])["progress"]
            print(progress["finished"], "of", progress["total"])

# List the results
for result in session.get(f"{server}/images/convert/results").json()["items"]:
    print(result["source"], result["status"])
