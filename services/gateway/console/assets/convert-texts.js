// What the page says about an output, and the texts that can be copied of it.

import { percent } from "./text.js";

const ENTITIES = { "&": "&amp;", '"': "&quot;", "<": "&lt;", ">": "&gt;" };

/** How much smaller something has become, as "−92%", or larger, as "+8%". */
export function savings(before, after) {
  const share = before > 0 ? 1 - after / before : 0;
  if (Math.round(share * 100) === 0) return percent(0);
  return `${share >= 0 ? "\u2212" : "+"}${percent(Math.abs(share))}`;
}

function encodedPath(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** The address of an output on this server, for the page itself; it changes with the upload, so that it is never stale. */
export function ownUrl(output) {
  return `/content/${encodedPath(output.output)}?v=${encodeURIComponent(output.source.split("/")[1])}`;
}

/** The public address of an output; `base` is without a scheme, or "". Its `publicPath` is its path there. */
export function publicUrl(output, base) {
  const start = base ? `${location.protocol}//${base}` : `${location.origin}/content`;
  return `${start}/${encodedPath(output.publicPath ?? output.output)}`;
}

/** The type of an output by its name, as "JPEG". */
export function typeOf(output) {
  const extension = output.outputFilename.split(".").pop().toLowerCase();
  return { jpg: "JPEG", jpeg: "JPEG", jpe: "JPEG", jfif: "JPEG", webp: "WebP" }[extension] ?? extension.toUpperCase();
}

/** The outputs for an attribute `srcset`: each width once, the narrowest first. */
export function srcset(outputs, base) {
  const byWidth = new Map(outputs.map((each) => [each.width, each]));
  const widths = [...byWidth.keys()].sort((one, other) => one - other);
  return widths.map((width) => `${publicUrl(byWidth.get(width), base)} ${width}w`).join(", ");
}

function attribute(text) {
  return text.replace(/[&"<>]/g, (character) => ENTITIES[character]);
}

/** An `<img>` of one output, or of several with a `srcset`. */
export function imageTag(outputs, base) {
  const largest = outputs.reduce((one, other) => (other.width > one.width ? other : one));
  const several = outputs.length > 1 ? ` srcset="${attribute(srcset(outputs, base))}" sizes="100vw"` : "";
  return `<img src="${attribute(publicUrl(largest, base))}"${several} width="${largest.width}" height="${largest.height}" alt="">`;
}
