import { openAsBlob } from "node:fs";
import { writeFile } from "node:fs/promises";

const server = "http://127.0.0.1:8005";
const headers = { Authorization: `Bearer ${process.env.KEY}` };

// Upload photo.jpg and convert it to two formats
const query = new URLSearchParams({
  fileName: "photo.jpg",
  formats: "content.imageFormat.normalProduct,content.imageFormat.thumbnailProduct",
});
const response = await fetch(`${server}/images/upload/convert?${query}`, {
  method: "POST",
  headers,
  body: await openAsBlob("photo.jpg"),
});
if (!response.ok) throw new Error(await response.text());
const [normal, thumbnail] = (await response.json()).items;

// Download the results; everybody may
for (const [result, name] of [[normal, "normal.jpg"], [thumbnail, "thumbnail.jpg"]]) {
  console.log(result.format, result.status, result.output);
  const image = await fetch(`${server}/content/${encodeURI(result.output)}`);
  if (!image.ok) throw new Error(await image.text());
  await writeFile(name, Buffer.from(await image.arrayBuffer()));
}
