// The dialog for the focal point of a source: the point that its crops keep.
import { IMAGES, request, requestJson } from "./api.js";
import { element, icon, notify } from "./console.js";
import { closed, open } from "./images-dialogs.js";
import { inUrl, nameOf } from "./images-listing.js";
import { _ } from "./text.js";

const SHAPES = [["square", 1], ["tall", 2 / 3], ["wide", 3]];
const MIDDLE = { x: 0.5, y: 0.5 };

/** Ask for the focal point of a source and set it; returns whether it was changed. */
export async function setFocalPoint(entry) {
  const address = `${IMAGES}/focal-points/${inUrl(entry.path)}`;
  const headers = entry.etag ? { "If-Match": `"${entry.etag}"` } : {};
  const before = await requestJson(address).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
  const answer = await askPoint(entry, before);
  if (answer === null) return false;
  if (answer.isRemoved) await request(address, { method: "DELETE", headers });
  else await request(address, { method: "PUT", json: answer.point, headers });
  notify(answer.isRemoved ? _("The focal point is removed.") : _("The focal point is set. Convert the image to crop it anew."), { kind: "good" });
  return true;
}

function slider(name, label, value, onInput) {
  const input = element("input", { type: "range", id: `images-${name}`, min: 0, max: 100, step: 1 });
  input.value = Math.round(value * 100);
  input.addEventListener("input", () => onInput(Number(input.value) / 100));
  return [element("label", { for: input.id }, label), input];
}

/** Return the result of the dialog: `{point}` or `{isRemoved}`, null if it was canceled. */
function askPoint(entry, before) {
  const point = { ...(before ?? MIDDLE) };
  let isRemoved = false;
  const source = `${entry.thumbnail}?size=800`;
  const image = element("img", { src: source, alt: "", draggable: "false" });
  const marker = element("span", { class: "images-marker" });
  const area = element("div", { class: "images-point" }, image, marker);
  const crops = SHAPES.map(([shape, ratio]) => [element("img", { src: source, alt: "", class: `images-crop images-crop-${shape}` }), ratio]);
  const [xLabel, x] = slider("x", _("From the left, in percent"), point.x, (value) => set({ x: value }));
  const [yLabel, y] = slider("y", _("From the top, in percent"), point.y, (value) => set({ y: value }));

  function show() {
    marker.style.setProperty("left", `${point.x * 100}%`);
    marker.style.setProperty("top", `${point.y * 100}%`);
    const shape = image.naturalWidth / image.naturalHeight || 1;
    for (const [crop, ratio] of crops) {
      const across = position(point.x, Math.min(1, ratio / shape));
      const down = position(point.y, Math.min(1, shape / ratio));
      crop.style.setProperty("object-position", `${across}% ${down}%`);
    }
  }

  function set(change) {
    Object.assign(point, change);
    x.value = Math.round(point.x * 100);
    y.value = Math.round(point.y * 100);
    show();
  }

  area.addEventListener("pointerdown", (event) => {
    const box = image.getBoundingClientRect();
    const share = (value) => Math.min(1, Math.max(0, Math.round(value * 10_000) / 10_000));
    set({ x: share((event.clientX - box.left) / box.width), y: share((event.clientY - box.top) / box.height) });
  });
  image.addEventListener("load", show);
  const remove = element("button", { type: "button" }, icon("trash-2"), _("Remove"));
  const dialog = open(_("Focal point of %(name)s", { name: nameOf(entry.path) }), _("Save"),
    element("p", { class: "hint" }, _("Click on what crops are to keep. Formats that crop follow it, except those with a focus of their own.")),
    area, xLabel, x, yLabel, y,
    element("div", { class: "images-crops", role: "img", "aria-label": _("What crops keep") }, ...crops.map(([crop]) => crop)));
  if (before !== null) dialog.querySelector(".dialog-actions").prepend(remove);
  remove.addEventListener("click", () => {
    isRemoved = true;
    dialog.close("yes");
  });
  show();
  x.focus();
  return closed(dialog, () => isRemoved ? { isRemoved } : { point });
}

/** Return the `object-position` in percent that shows the part around a `middle`, of which `kept` is shown. */
function position(middle, kept) {
  if (kept >= 1) return 50;
  const start = Math.min(Math.max(middle - kept / 2, 0), 1 - kept);
  return (start / (1 - kept)) * 100;
}
