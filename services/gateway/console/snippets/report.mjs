const server = "http://127.0.0.1:8005/images";
const headers = { Authorization: `Bearer ${process.env.KEY}` };

async function send(method, path, body, type = "application/json") {
  const response = await fetch(server + path, {
    method,
    headers: { ...headers, "Content-Type": type },
    body,
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

// Upload the list of images that the shop uses
const catalog = "id,active,images\n4711,true,photo.jpg|chair.jpg\n";
await send("PUT", "/catalog/products", catalog, "text/csv");

// Make a report, and wait for it
await send("POST", "/report", "{}");
while ((await send("GET", "/report/status")).running) {
  await new Promise((done) => setTimeout(done, 1000));
}

// List the missing and unused images
const report = await send("GET", "/report/products");
for (const image of report.missingImages) console.log("missing", image.path);
for (const image of report.unusedImages) console.log("unused", image.path, image.size);
