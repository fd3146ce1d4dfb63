// The panel with what is known of the selected image, and what was made of it.
import { IMAGES, requestJson } from "./api.js";
import { copy, element, icon } from "./console.js";
import { inUrl, nameOf, parentOf, sourceUrl } from "./images-listing.js";
import { _, bytes, dateTime, ngettext, number } from "./text.js";
import { thumbHashUrl } from "./thumbhash.js";

const WAIT_MS = 150;
const STATES = {
  upToDate: ["good", "check", _("Up to date")],
  outdated: ["warning", "refresh-cw", _("Outdated")],
  otherSource: ["warning", "git-compare", _("Of another image of this name")],
  missing: ["", "minus", _("Missing")],
};

/** The address of a converted image on this server. */
export function contentUrl(path) {
  return `/content/${inUrl(path)}`;
}

function fact(name, value) {
  return value === null ? [] : [element("dt", {}, name), element("dd", {}, value)];
}

function button(symbol, name, run, kind = "") {
  const created = element("button", { type: "button", class: kind }, icon(symbol), name);
  created.addEventListener("click", run);
  return created;
}

function pixels(image) {
  return image.width ? `${number(image.width)} × ${number(image.height)}` : null;
}

/** Shows a ThumbHash in place of an image until that is loaded. */
function showPlaceholder(image, thumbHash) {
  if (image.complete) return;
  image.style.background = `center / contain no-repeat url(${thumbHashUrl(thumbHash)})`;
  image.addEventListener("load", () => image.style.removeProperty("background"), { once: true });
}

/** What is shown of the facts of a source. */
function looks(facts) {
  const swatch = element("span", { class: "images-swatch" });
  swatch.style.backgroundColor = facts.dominantColor;
  return [
    ...fact(_("Color"), element("span", {}, swatch, " ", facts.dominantColor)),
    ...fact(_("Frames"), facts.frames > 1 ? number(facts.frames) : null),
    ...fact(_("Transparency"), facts.alpha ? _("yes") : null),
  ];
}

export class Details {
  /** Show details in `panel`; `actions(entries)` returns `[icon, name, run]` for what can be done. */
  constructor(panel, tree, actions) {
    this.panel = panel;
    this.tree = tree;
    this.actions = actions;
  }

  /** Show the selected entries; nothing if there are none. */
  show(entries) {
    clearTimeout(this.timer);
    this.aborting?.abort();
    this.panel.hidden = entries.length === 0;
    if (entries.length === 0) return;
    const [entry] = entries;
    const title = entries.length > 1 ? ngettext("%(num)s selected", "%(num)s selected", entries.length) : nameOf(entry.path);
    const close = element("button", { type: "button", class: "plain images-close", "aria-label": _("Close") }, icon("x"));
    close.addEventListener("click", () => this.onClose());
    this.body = element("div", { class: "stack" });
    this.panel.replaceChildren(
      element("div", { class: "images-title" }, element("h2", { class: "name", title }, title), close),
      this.body);
    if (entries.length > 1) this.#showSum(entries);
    else if (entry.isDirectory) this.body.append(element("p", { class: "quiet" }, _("Directory")), this.#buttons(entries));
    else this.#showImage(entry);
  }

  #buttons(entries) {
    return element("div", { class: "images-buttons" }, ...this.actions(entries).map((each) => button(...each)));
  }

  #showSum(entries) {
    const files = entries.filter((each) => !each.isDirectory);
    this.body.append(element("dl", { class: "facts" },
      ...fact(_("Images"), number(files.length)),
      ...fact(_("Directories"), number(entries.length - files.length)),
      ...fact(_("Size"), bytes(files.reduce((sum, each) => sum + each.size, 0)))), this.#buttons(entries));
  }

  #showImage(entry) {
    const isSource = this.tree === "source";
    const address = isSource ? `${entry.thumbnail}?size=800` : contentUrl(entry.path);
    const image = element("img", { class: "images-preview checkerboard", src: address, alt: "" });
    image.addEventListener("error", () => image.replaceWith(element("div", { class: "images-preview images-none" }, icon("image"), _("There is no preview."))));
    this.image = image;
    const link = element("a", { href: isSource ? sourceUrl(entry.path) : address, target: "_blank", rel: "noopener", class: "images-open" }, image, element("span", { class: "visually-hidden" }, _("Open the image")));
    this.facts = element("dl", { class: "facts" },
      ...fact(_("Directory"), parentOf(entry.path) || "/"),
      ...fact(_("Size"), bytes(entry.size)),
      ...fact(_("Changed"), dateTime(entry.modified)));
    const buttons = isSource ? this.#buttons([entry]) : button("link", _("Copy URL"), () => copy(location.protocol + entry.url));
    this.body.append(link, buttons, this.facts);
    if (isSource) this.timer = setTimeout(() => this.#load(entry), WAIT_MS);
  }

  async #load(entry) {
    this.aborting = new AbortController();
    const { body, facts, image } = this;
    const path = `${IMAGES}/details/${inUrl(entry.path)}`;
    try {
      const details = await requestJson(path, { signal: this.aborting.signal });
      facts.prepend(...fact(_("Type"), details.type ?? _("No image")), ...fact(_("Pixels"), pixels(details)));
      if (details.facts) {
        showPlaceholder(image, details.facts.thumbHash);
        facts.append(...looks(details.facts));
      }
      if (details.sha256) facts.append(...fact("SHA-256", element("code", { class: "images-hash" }, details.sha256)));
      body.append(...this.#outputs(details.formats));
    } catch (error) {
      if (error.name === "AbortError" || body !== this.body) return;
      body.append(element("p", { class: "problem" }, error.message));
    }
  }

  #outputs(outputs) {
    const counts = new Map();
    for (const each of outputs) counts.set(each.state, (counts.get(each.state) ?? 0) + 1);
    const badges = Object.entries(STATES).filter(([state]) => counts.has(state)).map(([state, [kind, , name]]) =>
      element("span", { class: `badge ${kind}` }, `${name}: ${number(counts.get(state))}`));
    const order = Object.keys(STATES);
    const sorted = outputs.toSorted((one, other) => order.indexOf(one.state) - order.indexOf(other.state));
    return [
      element("h3", {}, _("Formats")),
      element("div", { class: "images-badges" }, ...badges),
      element("ul", { class: "images-outputs" }, ...sorted.map((each) => this.#output(each))),
    ];
  }

  #output(output) {
    const [kind, symbol, state] = STATES[output.state];
    const id = output.formatNodeId.slice(output.formatNodeId.lastIndexOf(".") + 1);
    const there = output.state !== "missing";
    const address = contentUrl(output.path);
    const picture = there
      ? element("a", { href: address, target: "_blank", rel: "noopener", "aria-label": id }, element("img", { class: "thumbnail checkerboard", src: address, alt: "", loading: "lazy" }))
      : element("span", { class: "thumbnail images-none" }, icon("image"));
    const size = [pixels(output), output.size === undefined ? null : bytes(output.size)].filter((each) => each !== null).join(" · ");
    const copyUrl = element("button", { type: "button", class: "plain", "aria-label": _("Copy URL of %(name)s", { name: id }) }, icon("copy"));
    copyUrl.addEventListener("click", () => copy(location.protocol + output.url));
    return element("li", {}, picture,
      element("div", { class: "images-output" },
        element("span", { class: "name" }, id),
        element("small", {}, size),
        element("span", { class: `badge ${kind}` }, icon(symbol), state)),
      there ? copyUrl : null);
  }
}
