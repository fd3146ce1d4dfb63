// What can be known of a file before it is sent: its name, its size, and whether it is something else than an image.
// The server decides what is an image; only what is certainly none is refused here.

import { _, bytes } from "./text.js";

const HEAD_BYTES = 32;
const MAX_NAME_BYTES = 240; // of 255, so that an extension can be added
const REFUSED = /[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}/\\\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const OF_SYSTEMS = /^(\.ds_store|thumbs\.db|desktop\.ini|\._.*)$/i;
const TEXT_IMAGES = /^(\/\* XPM|! XPM2|#FIG |P[1-7Ff][\s#]|SIMPLE  =|VIEW|WEIV|GKSM)/;
const WITHOUT_SIGNATURE = /\.(tga|pm|gks|gksm)$/i;

// Signatures of other files, at the start or after a number of bytes.
const OTHERS = [
  ["PDF", "%PDF-"],
  ["ZIP", "PK\x03\x04"],
  ["gzip", "\x1f\x8b"],
  ["7z", "7z\xbc\xaf\x27\x1c"],
  ["RAR", "Rar!\x1a\x07"],
  ["MP3", "ID3"],
  ["Ogg", "OggS"],
  ["Matroska", "\x1a\x45\xdf\xa3"],
  ["WAV", "WAVE", 8],
  ["AVI", "AVI ", 8],
  ["ELF", "\x7fELF"],
  ["SQLite", "SQLite format 3"],
];
const IMAGE_BRANDS = /avif|avis|hei[cmsx]|hevc|hevx|mif1/;
const VIDEO_BRANDS = ["isom", "iso2", "mp41", "mp42", "M4A ", "M4V ", "qt  ", "avc1", "3gp4", "3gp5"];

/** Whether the system of a computer has made the file, not a person. */
export function isOfSystem(path) {
  return OF_SYSTEMS.test(path.split("/").pop());
}

/** The *name* as the server accepts it: without what it refuses, and short enough. */
export function acceptableName(name) {
  let accepted = name.normalize("NFC").replace(REFUSED, "_").trim();
  if (/^[ .]*$/.test(accepted) || accepted === ".directory") accepted = `image${accepted.replace(/[ .]+/g, "")}`;
  const dot = accepted.lastIndexOf(".");
  const [stem, extension] = dot > 0 && accepted.length - dot <= 6 ? [accepted.slice(0, dot), accepted.slice(dot)] : [accepted, ""];
  return shortened(stem, MAX_NAME_BYTES - byteLength(extension)) + extension;
}

function byteLength(text) {
  return new TextEncoder().encode(text).length;
}

function shortened(text, limit) {
  if (byteLength(text) <= limit) return text;
  let cut = "";
  let length = 0;
  for (const character of text) {
    length += byteLength(character);
    if (length > limit) break;
    cut += character;
  }
  return cut.trim();
}

/** Why the file is not sent; "" if it is. Throws if it cannot be read. */
export async function problemOf(file, maxBytes) {
  if (file.size === 0) return _("The file is empty.");
  if (file.size > maxBytes) return _("The file is too large: it has %(size)s, the limit is %(limit)s.", { size: bytes(file.size), limit: bytes(maxBytes) });
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const other = otherType(head, file.name);
  return other === "" ? "" : _("This is not an image, but %(type)s.", { type: other });
}

/** What the file is instead of an image, by its first bytes; "" if it may be an image. */
export function otherType(head, name) {
  if (WITHOUT_SIGNATURE.test(name)) return "";
  const text = String.fromCharCode(...head);
  for (const [type, signature, offset = 0] of OTHERS) {
    if (text.startsWith(signature, offset)) return type;
  }
  if (text.slice(4, 8) === "ftyp" && VIDEO_BRANDS.includes(text.slice(8, 12)) && !IMAGE_BRANDS.test(text)) return _("a video or sound");
  const isText = text.length >= 4 && /^[\t\n\r\x20-\x7e]*$/.test(text.replace(/^\xef\xbb\xbf/, ""));
  if (!isText || TEXT_IMAGES.test(text)) return "";
  return /^\s*<svg|^\s*<\?xml/i.test(text) ? "SVG" : _("a text");
}
