import hashlib
from pathlib import Path

import requests

server = "http://127.0.0.1:8005/imageconverter"
photograph = Path("photo.jpg").read_bytes()

# The SHA-256 of a file is a good key for its previews
key = hashlib.sha256(photograph).hexdigest()

# Get a preview; the first request brings the image along
response = requests.post(f"{server}/cacheAndGetImage/{key}/jpg:200x150~cover", files={"sourceImage": photograph})
response.raise_for_status()
Path("preview.jpg").write_bytes(response.content)

# From then on, the key is enough
response = requests.get(f"{server}/getImage/{key}/jpg:200x150~cover")
response.raise_for_status()
Path("preview.jpg").write_bytes(response.content)
