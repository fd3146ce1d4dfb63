// Examples of formats: the chosen source, converted when a card comes into view, two at a time.

import { icon } from "./console.js";
import { _, bytes, duration, number } from "./text.js";

const AT_ONCE = 2;

const waiting = [];
let running = 0;

function next() {
  while (running < AT_ONCE && waiting.length) {
    const figure = waiting.shift();
    if (!figure.isConnected) continue;
    running += 1;
    show(figure).finally(() => {
      running -= 1;
      next();
    });
  }
}

const kinds = { "image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", "image/avif": "AVIF", "image/gif": "GIF" };

async function show(figure) {
  const place = figure.querySelector(".example-image");
  const caption = figure.querySelector("figcaption");
  place.className = "example-image waiting";
  try {
    const response = await figure.convert();
    const blob = await response.blob();
    const milliseconds = Number(/dur=([\d.]+)/.exec(response.headers.get("Server-Timing") ?? "")?.[1] ?? NaN);
    const image = new Image();
    image.alt = _("Example");
    image.src = URL.createObjectURL(blob);
    await image.decode();
    URL.revokeObjectURL(image.src);
    const size = document.createElement("strong");
    size.textContent = `${number(image.naturalWidth)} × ${number(image.naturalHeight)}`;
    const facts = [kinds[blob.type] ?? blob.type, bytes(blob.size), ...(milliseconds >= 0 ? [duration(milliseconds / 1000)] : [])];
    place.className = "example-image checkerboard";
    place.replaceChildren(image);
    caption.replaceChildren(size, document.createElement("br"), facts.join(" · "));
  } catch (error) {
    place.className = "example-image failed";
    place.replaceChildren(icon("image"));
    caption.textContent = error.message;
  }
}

const observer = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    observer.unobserve(target);
    waiting.push(target);
  }
  next();
}, { rootMargin: "200px" });

/** Show the examples below `root` as they come into view; `convert(format)` returns the response with the image. */
export function showExamples(root, convert) {
  for (const figure of root.querySelectorAll(".example")) {
    figure.convert = () => convert(figure.dataset.format);
    observer.observe(figure);
  }
}

/** Let the choice of an image take effect at once. */
export function watchSamples() {
  const form = document.querySelector(".samples");
  if (!form) return;
  const path = form.querySelector("#sample-path");
  const go = (value) => location.assign(`${form.getAttribute("action")}?path=${encodeURIComponent(value)}`);
  form.addEventListener("change", (event) => {
    if (event.target.name === "path") go(event.target.value);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (path.value.trim()) go(path.value.trim());
  });
}
