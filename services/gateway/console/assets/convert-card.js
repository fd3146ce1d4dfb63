// One image of the list: its progress, and then the original and its outputs side by side.

import { copy, element, icon } from "./console.js";
import { IMAGES } from "./api.js";
import { imageTag, ownUrl, publicUrl, savings, srcset, typeOf } from "./convert-texts.js";
import { _, bytes, duration, number } from "./text.js";

const STATES = {
  waiting: { name: () => _("Waiting"), kind: "" },
  checking: { name: () => _("Reading"), kind: "accent" },
  sending: { name: () => _("Sending"), kind: "accent" },
  converting: { name: () => _("Converting"), kind: "accent" },
  offline: { name: () => _("Waiting for the server"), kind: "warning" },
  done: { name: () => _("Done"), kind: "good" },
  failed: { name: () => _("Failed"), kind: "bad" },
  refused: { name: () => _("Not sent"), kind: "bad" },
  canceled: { name: () => _("Canceled"), kind: "" },
};
const THUMBNAIL = 640;
const SAME_SHAPE = 0.02;

/** A row of the list. It draws itself when `draw` is called after `markChanged`. */
export class Card {
  constructor(image, queue, options) {
    this.image = image;
    this.queue = queue;
    this.options = options;
    this.isChanged = true;
    this.drawn = "";
    this.url = "";
    this.row = element("li", { class: "card row" });
  }

  markChanged() {
    this.isChanged = true;
  }

  remove() {
    if (this.url !== "") URL.revokeObjectURL(this.url);
    this.row.remove();
  }

  draw() {
    if (!this.isChanged) return;
    this.isChanged = false;
    const { image } = this;
    const drawn = `${image.state} ${[...image.outputs.keys()]} ${image.problem}`;
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      const focused = this.row.contains(document.activeElement) ? document.activeElement.dataset.action : undefined;
      this.#drawAll();
      if (focused !== undefined) (this.row.querySelector(`[data-action="${focused}"]`) ?? this.row.querySelector("button"))?.focus();
    }
    if (this.progress !== null) this.#drawProgress();
  }

  #drawAll() {
    const { image } = this;
    const { name, kind } = STATES[image.state];
    this.progress = image.isRunning ? element("progress", { max: 1, "aria-label": image.name }) : null;
    this.row.classList.toggle("ended", image.isEnded);
    this.row.replaceChildren(
      element("div", { class: "row-head" },
        element("h3", { class: "name", title: image.path }, image.path),
        element("span", { class: `badge ${kind}` }, name()),
        this.#actions()));
    if (image.name !== image.path.split("/").pop() && image.state !== "refused") {
      this.row.append(element("p", { class: "hint name" }, _("Stored as %(name)s", { name: image.name })));
    }
    if (image.problem !== "") this.row.append(element("p", { class: image.isEnded ? "problem" : "hint" }, image.problem));
    if (this.progress !== null) this.row.append(this.progress);
    if (image.outputs.size > 0) this.row.append(this.#tiles());
  }

  #drawProgress() {
    const { image } = this;
    if (image.state === "sending") this.progress.value = image.sent;
    else this.progress.removeAttribute("value");
  }

  #actions() {
    const { image } = this;
    const actions = element("span", { class: "row-actions" });
    if (image.made.length > 0) actions.append(this.#codeMenu());
    const isRetryable = ["failed", "canceled"].includes(image.state);
    if (isRetryable) actions.append(this.#action("retry", "rotate-ccw", _("Try again"), () => this.queue.retry([image])));
    if (image.isEnded) actions.append(this.#action("remove", "x", _("Remove from the list"), () => this.queue.remove([image])));
    else actions.append(this.#action("cancel", "circle-stop", _("Cancel"), () => this.queue.cancel([image])));
    return actions;
  }

  #action(action, name, text, run) {
    const button = element("button", { type: "button", class: "plain", "data-action": action, "aria-label": `${text}: ${this.image.name}`, title: text }, icon(name));
    button.addEventListener("click", run);
    return button;
  }

  #menu(label, name, items) {
    const menu = element("details", { class: "menu" }, element("summary", { "aria-label": label, title: label }, icon(name)));
    const list = element("div", { class: "menu-items" });
    for (const [text, value] of items) {
      const button = element("button", { type: "button" }, text);
      button.addEventListener("click", () => {
        menu.open = false;
        copy(value());
      });
      list.append(button);
    }
    menu.append(list);
    return menu;
  }

  /** What can be copied of all outputs; a `srcset` has only images of the same shape. */
  #codeMenu() {
    const { made } = this.image;
    const largest = made.reduce((one, other) => (other.width > one.width ? other : one));
    const shape = largest.width / largest.height;
    const same = made.filter((each) => Math.abs(each.width / each.height / shape - 1) < SAME_SHAPE);
    const { contentBase } = this.options;
    return this.#menu(`${_("Copy code")}: ${this.image.name}`, "code", [
      [_("Copy <img> with srcset"), () => imageTag(same, contentBase)],
      [_("Copy srcset"), () => srcset(same, contentBase)],
      [_("Copy all addresses"), () => made.map((each) => publicUrl(each, contentBase)).join("\n")],
    ]);
  }

  #tiles() {
    const tiles = element("ul", { class: "tiles" }, this.#sourceTile());
    for (const output of this.image.outputs.values()) tiles.append(output.bytes > 0 ? this.#outputTile(output) : this.#failedTile(output));
    return tiles;
  }

  #sourceTile() {
    const { image } = this;
    const picture = element("img", { class: "checkerboard", alt: "", loading: "lazy", decoding: "async" });
    const facts = element("span", {}, bytes(image.file.size));
    const shown = [];
    if (image.isShowable) {
      if (this.url === "") this.url = URL.createObjectURL(image.file);
      shown.push(this.url);
    }
    if (this.options.mayRead && image.source !== "") shown.push(`${IMAGES}/thumbnails/${image.source.split("/").map(encodeURIComponent).join("/")}?size=${THUMBNAIL}`);
    const largest = image.made.reduce((one, other) => (one === null || other.width > one.width ? other : one), null);
    if (largest !== null) shown.push(ownUrl(largest));
    let attempt = 0;
    const show = () => {
      if (attempt < shown.length) picture.src = shown[attempt];
      else picture.replaceWith(icon("image"));
    };
    picture.addEventListener("error", () => {
      if (picture.src === this.url) image.isShowable = false;
      attempt += 1;
      show();
    });
    picture.addEventListener("load", () => {
      if (picture.src === this.url) facts.before(element("span", {}, `${number(picture.naturalWidth)} × ${number(picture.naturalHeight)}`));
    });
    show();
    return element("li", { class: "tile" },
      element("div", { class: "tile-image" }, picture),
      element("p", { class: "tile-name" }, _("Original")),
      element("p", { class: "tile-facts" }, facts));
  }

  #outputTile(output) {
    const { image } = this;
    const url = ownUrl(output);
    const picture = element("img", { class: "checkerboard", src: url, alt: "", loading: "lazy", decoding: "async" });
    const label = `${output.format}: ${image.name}`;
    const compare = element("button", { type: "button", class: "tile-image", "data-action": `compare ${output.formatId}`, "aria-label": `${_("Compare with the original")}: ${label}`, title: _("Compare with the original") }, picture);
    compare.addEventListener("click", async () => {
      const { compareImages } = await import("./convert-compare.js");
      compareImages(image, output, this.options);
    });
    const save = element("a", { class: "button plain", href: url, download: output.outputFilename, "aria-label": `${_("Download")}: ${label}`, title: _("Download") }, icon("download"));
    const open = element("a", { class: "button plain", href: publicUrl(output, this.options.contentBase), target: "_blank", rel: "noopener", "aria-label": `${_("Open in a new tab")}: ${label}`, title: _("Open in a new tab") }, icon("external-link"));
    const menu = this.#menu(`${_("Copy")}: ${label}`, "copy", [
      [_("Copy address"), () => publicUrl(output, this.options.contentBase)],
      [_("Copy <img>"), () => imageTag([output], this.options.contentBase)],
    ]);
    const isSmaller = output.bytes < image.file.size * 0.995;
    return element("li", { class: "tile" },
      compare,
      element("p", { class: "tile-name" }, output.format),
      element("p", { class: "tile-facts" },
        element("span", {}, `${number(output.width)} × ${number(output.height)}`),
        element("span", {}, `${typeOf(output)} · ${bytes(output.bytes)}`),
        element("span", {}, element("span", { class: `badge ${isSmaller ? "good" : ""}` }, savings(image.file.size, output.bytes)), ` ${duration(output.seconds)}`)),
      output.status === "warning" ? element("p", { class: "tile-warning" }, output.message) : null,
      element("div", { class: "tile-actions" }, save, menu, open));
  }

  #failedTile(output) {
    return element("li", { class: "tile" },
      element("div", { class: "tile-image failed" }, icon("triangle-alert")),
      element("p", { class: "tile-name" }, output.format),
      element("p", { class: "problem" }, output.message));
  }
}
