// A dialog that compares the original with an output: one over the other with a slider, or side by side.

import { IMAGES } from "./api.js";
import { element, icon } from "./console.js";
import { ownUrl, savings, typeOf } from "./convert-texts.js";
import { _, bytes, number, percent } from "./text.js";

const ZOOMS = [1, 2, 4, 8];
const PREVIEW = 2048;
const MAX_BUTTONS = 4;

function choice(text, run) {
  const button = element("button", { type: "button", "aria-pressed": "false" }, text);
  button.addEventListener("click", run);
  return button;
}

function press(group, index) {
  [...group.children].forEach((each, position) => each.setAttribute("aria-pressed", String(position === index)));
}

/** The choice of an output: buttons, or a list of many. */
function outputChoice(outputs, run) {
  if (outputs.length <= MAX_BUTTONS) {
    const group = element("div", { class: "buttons", role: "group", "aria-label": _("Format") }, ...outputs.map((each) => choice(each.format, () => run(each))));
    return { element: group, choose: (index) => press(group, index) };
  }
  const list = element("select", { "aria-label": _("Format") }, ...outputs.map((each) => element("option", {}, each.format)));
  list.addEventListener("change", () => run(outputs[list.selectedIndex]));
  return { element: list, choose: (index) => { list.selectedIndex = index; } };
}

/** The original in *picture*: the file itself, or else a preview by the server, or else the output. */
function showOriginal(picture, image, output, mayRead) {
  const shown = [];
  const file = image.isShowable ? URL.createObjectURL(image.file) : "";
  if (file) shown.push(file);
  if (mayRead) shown.push(`${IMAGES}/thumbnails/${image.source.split("/").map(encodeURIComponent).join("/")}?size=${PREVIEW}`);
  shown.push(ownUrl(output));
  picture.addEventListener("error", () => {
    if (shown.length > 0) picture.src = shown.shift();
  });
  picture.src = shown.shift();
  return () => file && URL.revokeObjectURL(file);
}

/** Show the dialog for *image* and one of its outputs; the others can be chosen in it. */
export function compareImages(image, first, options) {
  let output = first;
  let zoom = 0;
  let isSplit = true;

  const original = element("img", { alt: _("Original") });
  const result = element("img", { alt: "" });
  const label = element("span", { class: "compare-label", "aria-hidden": "true" });
  const before = element("div", { class: "compare-before checkerboard" }, original, element("span", { class: "compare-label", "aria-hidden": "true" }, _("Original")));
  const after = element("div", { class: "compare-after checkerboard" }, result, label);
  const slider = element("input", { type: "range", min: 0, max: 100, step: "any", value: 50, class: "compare-slider", "aria-label": _("How much of the original is shown") });
  const line = element("div", { class: "compare-line", "aria-hidden": "true" });
  const canvas = element("div", { class: "compare-canvas" }, after, before, line, slider);
  const stage = element("div", { class: "compare-stage", tabindex: 0, role: "group", "aria-label": _("Comparison") }, canvas);
  const facts = element("p", { class: "compare-facts" });
  const note = element("p", { class: "hint" }, _("The browser cannot show this type of file: the original is a preview by the server."));
  const outputs = outputChoice(image.made, (each) => show(each));
  const zooms = element("div", { class: "buttons", role: "group", "aria-label": _("Zoom") },
    choice(_("Fit"), () => setZoom(0)), ...ZOOMS.map((each) => choice(percent(each), () => setZoom(each))));
  const modes = element("div", { class: "buttons", role: "group", "aria-label": _("View") },
    choice(_("Slider"), () => setSplit(true)), choice(_("Side by side"), () => setSplit(false)));
  const close = element("button", { type: "button", class: "plain", "aria-label": _("Close") }, icon("x"));
  const dialog = element("dialog", { class: "dialog compare", "aria-labelledby": "compare-title" },
    element("div", { class: "compare-head" }, element("h2", { id: "compare-title", class: "name" }, image.path), close),
    element("div", { class: "toolbar" }, outputs.element, modes, zooms),
    stage, facts, note);

  function scale() {
    const columns = isSplit ? 1 : 2;
    const fitting = Math.min((stage.clientWidth - 8 * (columns - 1)) / columns / output.width, stage.clientHeight / output.height);
    // CSS pixels for a pixel of the output: small images are not blown up to fit.
    return zoom === 0 ? Math.min(fitting, 1) : zoom / devicePixelRatio;
  }

  function layout() {
    const factor = scale();
    canvas.classList.toggle("split", isSplit);
    canvas.classList.toggle("pixelated", factor * devicePixelRatio >= 2);
    for (const side of [before, after]) {
      side.style.setProperty("width", `${output.width * factor}px`);
      side.style.setProperty("height", `${output.height * factor}px`);
    }
    slider.hidden = !isSplit;
    line.hidden = !isSplit;
    split();
  }

  function split() {
    canvas.style.setProperty("--split", `${slider.value}%`);
  }

  function setZoom(value) {
    zoom = value;
    press(zooms, value === 0 ? 0 : ZOOMS.indexOf(value) + 1);
    layout();
  }

  function setSplit(value) {
    isSplit = value;
    press(modes, value ? 0 : 1);
    layout();
  }

  function isSameShape() {
    return !original.naturalWidth || Math.abs(original.naturalWidth / original.naturalHeight / (output.width / output.height) - 1) < 0.02;
  }

  function show(each) {
    output = each;
    outputs.choose(image.made.indexOf(each));
    result.src = ownUrl(each);
    result.alt = each.format;
    label.textContent = each.format;
    facts.textContent = [
      `${_("Original")}: ${bytes(image.file.size)}`,
      `${each.format}: ${number(each.width)} × ${number(each.height)}, ${typeOf(each)}, ${bytes(each.bytes)} (${savings(image.file.size, each.bytes)})`,
    ].join(" → ");
    setSplit(isSameShape());
  }

  function drag() {
    let start = null;
    stage.addEventListener("pointerdown", (event) => {
      if (event.target === slider || event.pointerType !== "mouse") return;
      start = { x: event.clientX + stage.scrollLeft, y: event.clientY + stage.scrollTop };
      stage.setPointerCapture(event.pointerId);
    });
    stage.addEventListener("pointermove", (event) => {
      if (start !== null) stage.scrollTo(start.x - event.clientX, start.y - event.clientY);
    });
    for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, () => { start = null; });
  }

  slider.addEventListener("input", split);
  drag();
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("keydown", (event) => {
    const steps = [0, ...ZOOMS];
    const step = { "+": 1, "-": -1 }[event.key];
    if (step === undefined) return;
    setZoom(steps[Math.max(0, Math.min(steps.length - 1, steps.indexOf(zoom) + step))]);
  });
  original.addEventListener("load", () => {
    note.hidden = original.src.startsWith("blob:");
    setSplit(isSameShape());
  });
  note.hidden = true;
  document.body.append(dialog);
  dialog.showModal();
  const release = showOriginal(original, image, output, options.mayRead);
  const resized = new ResizeObserver(layout);
  resized.observe(stage);
  dialog.addEventListener("close", () => {
    resized.disconnect();
    release();
    dialog.remove();
  });
  show(first);
  setZoom(0);
  slider.focus();
}
