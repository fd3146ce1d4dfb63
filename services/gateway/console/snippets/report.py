import os
import time

import requests

server = "http://127.0.0.1:8005"
session = requests.Session()
session.headers["Authorization"] = f"Bearer {os.environ['KEY']}"

# Upload the list of images that the shop uses
catalog = "id,active,images\n4711,true,photo.jpg|chair.jpg\n"
session.put(
    f"{server}/images/catalog/products", data=catalog, headers={"Content-Type": "text/csv"}
).raise_for_status()

# Make a report, and wait for it
session.post(f"{server}/images/report", json={}).raise_for_status()
while session.get(f"{server}/images/report/status").json()["running"]:
    time.sleep(1)

# List the missing and unused images
report = session.get(f"{server}/images/report/products").json()
for image in report["missingImages"]:
    print("missing", image["path"])
for image in report["unusedImages"]:
    print("unused", image["path"], image["size"])
