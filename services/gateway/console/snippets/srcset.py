import os

import requests

server = "http://127.0.0.1:8005"

# Get the converted images of photo.jpg as the attribute srcset of <img>
response = requests.get(
    f"{server}/images/srcset/products",
    params={"formatNodeId": "content.imageFormat.thumbnailProduct", "fileName": "photo.jpg"},
    headers={"Authorization": f"Bearer {os.environ['KEY']}"},
)
response.raise_for_status()
print(f'<img srcset="{response.json()["srcset"]}" alt="">')
