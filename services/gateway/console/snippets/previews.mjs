import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";

const server = "http://127.0.0.1:8005/imageconverter";
const photograph = await readFile("photo.jpg");

// The SHA-256 of a file is a good key for its previews
const key = createHash("sha256").update(photograph).digest("hex");

// Get a preview; the first request brings the image along
const form = new FormData();
form.append("sourceImage", new Blob([photograph]), "photo.jpg");
const made = await fetch(`${server}/cacheAndGetImage/${key}/jpg:200x150~cover`, {
  method: "POST",
  body: form,
});
if (!made.ok) throw new Error(await made.text());

// From then on, the key is enough
const response = await fetch(`${server}/getImage/${key}/jpg:200x150~cover`);
if (!response.ok) throw new Error(await response.text());
await writeFile("preview.jpg", Buffer.from(await response.arrayBuffer()));
