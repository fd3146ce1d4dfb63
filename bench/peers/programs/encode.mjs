// Encode PNG files by sharp: PREFIX OUT FILE …, to OUT/ENCODER-QUALITY/NAME.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

const [prefix, out, qualities, ...files] = process.argv.slice(2);
const sharp = createRequire(prefix + "/")("sharp");
const encoders = {
  "sharp jpeg": (image, quality) => image.jpeg({ quality }),
  "sharp mozjpeg": (image, quality) => image.jpeg({ quality, mozjpeg: true }),
  "sharp webp": (image, quality) => image.webp({ quality }),
  "sharp avif": (image, quality) => image.avif({ quality, chromaSubsampling: "4:2:0" }),
};
sharp.concurrency(1);
for (const [name, encode] of Object.entries(encoders)) {
  for (const quality of JSON.parse(qualities)[name]) {
    const folder = join(out, `${name}-${quality}`);
    mkdirSync(folder, { recursive: true });
    for (const file of files) await encode(sharp(file), quality).toFile(join(folder, basename(file)));
  }
}
