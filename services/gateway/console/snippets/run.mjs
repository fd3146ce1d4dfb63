import { openAsBlob } from "node:fs";

const server = "http://127.0.0.1:8005/images";
const headers = { Authorization: `Bearer ${process.env.KEY}` };

async function send(method, path, body) {
  const response = await fetch(server + path, { method, headers, body });
  if (!response.ok) throw new Error(await response.text());
  return response;
}

// Keep photo.jpg as a source in the directory "products"
await send("PUT", "/sources/products/photo.jpg", await openAsBlob("photo.jpg"));

// Convert all images of the directory
await send("POST", "/convert/start", JSON.stringify({
  action: "manual",
  source: "directory",
  directory: "products",
  formatList: ["content.imageFormat.thumbnailProduct"],
}));

// Follow the progress until the run has ended
const events = await send("GET", "/convert/events");
let rest = "";
for await (const text of events.body.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop();
  for (const line of lines.filter((each) => each.startsWith("data: "))) {
    const { progress } = JSON.parse(line.slice(6));
    console.log(progress.finished, "of", progress.total);
  }
}

// List the results
const results = await send("GET", "/convert/results");
for (const result of (await results.json()).items) console.log(result.source, result.status);
