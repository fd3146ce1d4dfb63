// The comparison of `bench/engine.py`: the same conversions with sharp.
//
// Each line of standard input is a request, {files, sides, output, quality, animated, variant}; the response is a line
// with CPU seconds.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const sharp = createRequire(process.argv[2] + "/")("sharp");
sharp.concurrency(1);
sharp.cache(false);

const fit = (image, side) => image.resize(side, side, { fit: "inside", withoutEnlargement: true });
const encoded = (image, { output, quality, variant }) =>
  output === "jpeg"
    ? image.jpeg({ quality, optimiseCoding: variant !== "plain cascade" }).toBuffer()
    : output === "gif"
      ? image.gif().toBuffer()
      : output === "png" && variant === "plain cascade"
        ? image.png({ compressionLevel: 4, adaptiveFiltering: true }).toBuffer()
        : image.toFormat(output, { quality }).toBuffer();

// The usual code: a pipeline for each output, each of which decodes the source.
async function usual(data, job) {
  for (const side of job.sides) {
    await encoded(fit(sharp(data, { animated: job.animated }).autoOrient(), side), job);
  }
}

// The fastest code: decodes once and makes each output from the larger one before it. Of raw images sharp 0.35 resizes
// only the first frame, so animations use the usual code. The plain variant omits the optimization that makes JPEGs
// four or five percent smaller and takes a tenth of the time, and compresses PNGs with our level and filters.
async function cascade(data, job) {
  if (job.animated) return usual(data, job);
  let image = sharp(data).autoOrient();
  for (const side of job.sides) {
    const raw = await fit(image, side).raw().toBuffer({ resolveWithObject: true });
    const { width, height, channels } = raw.info;
    const input = { raw: { width, height, channels } };
    await encoded(sharp(raw.data, input), job);
    image = sharp(raw.data, input);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  const sources = job.files.map((file) => readFileSync(file));
  const convert = job.variant === "usual" ? usual : cascade;
  const before = process.cpuUsage();
  for (const data of sources) await convert(data, job);
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify((user + system) / 1e6));
}
