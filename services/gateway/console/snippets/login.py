import os

import requests

server = "http://127.0.0.1:8005"

# Exchange the key for an access token, which is valid for 30 minutes
response = requests.post(f"{server}/admin/api/v1/login", json={"apiKey": os.environ["KEY"]})
response.raise_for_status()
token = response.json()["accessToken"]

# Use it as you would use the key
response = requests.get(f"{server}/images/formats", headers={"Authorization": f"Bearer {token}"})
response.raise_for_status()
for each in response.json()["items"]:
    print(each["id"])
