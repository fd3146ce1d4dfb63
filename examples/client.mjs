// Convert a photograph, keep its source, and get a preview: node examples/client.mjs SERVER KEY FILE
// Needs Node.js 20 or later, and nothing else.
import { createHash } from "node:crypto";
import { openAsBlob } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename } from "node:path";

const [server, key, file] = process.argv.slice(2);
const FORMAT = "content.imageFormat.thumbnailProduct";

async function call(method, path, { query = {}, ...options } = {}) {
  const url = new URL(server + path);
  url.search = new URLSearchParams(query);
  const response = await fetch(url, { method, headers: { Authorization: `Bearer ${key}` }, ...options });
  if (!response.ok) {
    const { reason } = await response.json();
    throw new Error(`${method} ${path}: ${response.status} ${reason}`);
  }
  return response;
}

const photograph = await openAsBlob(file); // sent in pieces, never whole in memory
const name = basename(file);

// Convert it now and download the result.
const query = { fileName: name, formats: FORMAT };
const { items } = await (await call("POST", "/images/upload/convert", { query, body: photograph })).json();
const image = await call("GET", `/content/${encodeURI(items[0].output)}`);
await writeFile(`thumbnail-${items[0].outputFilename}`, Buffer.from(await image.arrayBuffer()));
console.log(items[0].status, image.url);

// Keep it as a source, and list the sources of its directory, page by page.
await call("PUT", `/images/sources/examples/${encodeURIComponent(name)}`, { body: photograph });
let cursor;
do {
  const page = await (
    await call("GET", "/images/sources", { query: { directory: "examples", ...(cursor && { cursor }) } })
  ).json();
  for (const source of page.items) console.log(source.path, source.size);
  cursor = page.cursor;
} while (cursor);

// Get a preview of 200 x 150 pixels by the ImageConverter API, under the SHA-256 of the file.
const form = new FormData();
form.append("sourceImage", photograph, name);
const sha256 = createHash("sha256").update(Buffer.from(await photograph.arrayBuffer())).digest("hex");
const preview = await call("POST", `/imageconverter/cacheAndGetImage/${sha256}/auto:200x150~cover`, { body: form });
console.log((await preview.arrayBuffer()).byteLength, "bytes of preview");
