// Draws a ThumbHash, by its specification (https://evanw.github.io/thumbhash/): a soft picture of 32 pixels.

const SIDE = 32;
const SMALL = 3; // frequencies of the colors
const ALPHA = 5; // those of the transparency
const GAIN = 1.25; // of the colors, which are stored fainter than they are

function cosines(length, position, count) {
  return Array.from({ length: count }, (_, frequency) => Math.cos(Math.PI / length * (position + 0.5) * frequency));
}

/** Calls `visit(x, y)` with the frequencies of a channel of `columns` and `rows`, in the order in which they are stored. */
function eachFrequency(columns, rows, visit) {
  for (let y = 0; y < rows; y++) for (let x = y ? 0 : 1; x * rows < columns * (rows - y); x++) visit(x, y);
}

function value(mean, terms, across, down) {
  return terms.reduce((sum, [x, y, factor]) => sum + 2 * factor * across[x] * down[y], mean);
}

/** The pixels of a ThumbHash in base64: `{ width, height, data }`, as RGBA. */
export function thumbHashPixels(text) {
  const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const first = bytes[0] | bytes[1] << 8 | bytes[2] << 16;
  const second = bytes[3] | bytes[4] << 8;
  const hasAlpha = Boolean(first >> 23);
  const long = hasAlpha ? 5 : 7;
  const [wide, high] = second >> 15 ? [long, second & 7] : [second & 7, long];
  const [columns, rows] = [Math.max(3, wide), Math.max(3, high)];
  let nibble = (hasAlpha ? 6 : 5) * 2;
  const channel = (across, down, scale) => {
    const terms = [];
    eachFrequency(across, down, (x, y) => {
      const level = bytes[nibble >> 1] >> (nibble & 1 ? 4 : 0) & 15;
      terms.push([x, y, (level / 7.5 - 1) * scale]);
      nibble += 1;
    });
    return terms;
  };
  const light = channel(columns, rows, (first >> 18 & 31) / 31);
  const yellow = channel(SMALL, SMALL, (second >> 3 & 63) / 63 * GAIN);
  const red = channel(SMALL, SMALL, (second >> 9 & 63) / 63 * GAIN);
  const alpha = hasAlpha ? channel(ALPHA, ALPHA, (bytes[5] >> 4) / 15) : [];

  const ratio = wide / high;
  const width = Math.round(ratio > 1 ? SIDE : SIDE * ratio);
  const height = Math.round(ratio > 1 ? SIDE / ratio : SIDE);
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0, at = 0; y < height; y++) {
    const down = cosines(height, y, 7);
    for (let x = 0; x < width; x++, at += 4) {
      const across = cosines(width, x, 7);
      const l = value((first & 63) / 63, light, across, down);
      const p = value((first >> 6 & 63) / 31.5 - 1, yellow, across, down);
      const q = value((first >> 12 & 63) / 31.5 - 1, red, across, down);
      const b = l - 2 / 3 * p;
      const r = (3 * l - b + q) / 2;
      const a = hasAlpha ? value((bytes[5] & 15) / 15, alpha, across, down) : 1;
      data.set([r, r - q, b, a].map((each) => Math.max(0, each) * 255), at);
    }
  }
  return { width, height, data };
}

/** An image of a ThumbHash in base64, as a `data:` URL. */
export function thumbHashUrl(text) {
  const { width, height, data } = thumbHashPixels(text);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext("2d").putImageData(new ImageData(data, width, height), 0, 0);
  return canvas.toDataURL();
}
