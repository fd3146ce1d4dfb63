// Convert files by sharp: best, with the encoder options that the others have, or its usual code with its own.
import { createRequire } from "node:module";
import { basename, join } from "node:path";

const [prefix, how, out, quality, names, ...files] = process.argv.slice(2);
const sharp = createRequire(prefix + "/")("sharp");
const sides = names.split(",").map(Number);
const fit = (image, side) => image.resize(side, side, { fit: "inside", withoutEnlargement: true });
const path = (side, file) => join(out, String(side), basename(file));

// A pipeline for each output, each of which decodes the source.
async function usual(file) {
  for (const side of sides) {
    await fit(sharp(file).autoOrient(), side).jpeg({ quality: Number(quality) }).toFile(path(side, file));
  }
}

// Decodes once and makes each output from the larger one before it.
async function best(file) {
  let image = sharp(file).autoOrient();
  for (const side of sides) {
    const { data, info } = await fit(image, side).raw().toBuffer({ resolveWithObject: true });
    const raw = { raw: { width: info.width, height: info.height, channels: info.channels } };
    await sharp(data, raw).jpeg({ quality: Number(quality), optimiseCoding: false }).toFile(path(side, file));
    image = sharp(data, raw);
  }
}

sharp.cache(false);
if (how === "best") sharp.concurrency(1);
for (const file of files) await (how === "best" ? best : usual)(file);
