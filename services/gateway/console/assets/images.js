// The images page: walks through a tree, shows and selects entries, and carries out what is done with them.
import { element, icon, notify } from "./console.js";
import { convert, copyTo, deleteEntries, move, newDirectory, rename, reportErrors } from "./images-actions.js";
import { contentUrl, Details } from "./images-details.js";
import { setFocalPoint } from "./images-focal-point.js";
import { Listing, nameOf, parentOf } from "./images-listing.js";
import { Selection } from "./images-selection.js";
import { loadThumbnail } from "./images-thumbnails.js";
import { chosenFiles, droppedFiles, Uploads } from "./images-uploads.js";
import { EntriesView } from "./images-view.js";
import { _, bytes, dateTime, ngettext, number } from "./text.js";

const page = document.getElementById("images");
const box = document.getElementById("entries");
const search = document.getElementById("search");
const { tree } = page.dataset;
const isSource = tree === "source";
const [mayPublish, mayDelete, mayConvert] = ["publish", "delete", "convert"].map((right) => isSource && page.dataset.may.split(" ").includes(right));
const formats = JSON.parse(document.getElementById("formats").textContent);
const TYPING_MS = 250;

let directory = "";
let listing = new Listing(tree, "", "");
const selection = new Selection(showSelection);
const view = new EntriesView(box, { render, show: showThumbnail, onEnd: loadMore });
const details = new Details(document.getElementById("details"), tree, actionsFor);
details.onClose = () => selection.clear();
const uploads = new Uploads(document.getElementById("uploads"), Number(page.dataset.maxUpload), { onStored: refreshSoon, onEnd: refresh });

// Entries

function render(node, entry, index) {
  const isSelected = selection.has(entry);
  node.setAttribute("aria-selected", String(isSelected));
  node.setAttribute("aria-posinset", index + 1);
  node.setAttribute("aria-setsize", listing.isComplete ? listing.entries.length : -1);
  node.classList.toggle("active", index === selection.active && document.activeElement === box);
  if (node.childElementCount > 0) return;
  const name = search.value ? entry.path : nameOf(entry.path);
  const picture = element("span", { class: "images-picture" }, icon(entry.isDirectory ? "folder" : "image"));
  const info = entry.isDirectory ? [_("Directory")] : [bytes(entry.size), dateTime(entry.modified)];
  node.classList.toggle("images-directory", entry.isDirectory);
  node.append(
    element("span", { class: "images-check", "aria-hidden": "true" }, icon("check")),
    picture,
    element("span", { class: "images-name clip", title: name }, name),
    ...info.map((text, number_) => element("small", { class: number_ ? "images-date" : "images-info" }, text)));
}

function showThumbnail(node, entry) {
  if (entry.isDirectory || node.dataset.thumbnail) return;
  node.dataset.thumbnail = "requested";
  const image = element("img", { alt: "", decoding: "async", class: "images-loading" });
  const picture = node.querySelector(".images-picture");
  image.addEventListener("load", () => {
    image.className = "";
    picture.replaceChildren(image);
  });
  picture.append(image);
  loadThumbnail(image, isSource ? `${entry.thumbnail}?size=200` : contentUrl(entry.path));
}

function showSelection() {
  view.refresh();
  const { entries } = selection;
  const wasHidden = details.panel.hidden;
  details.show(entries);
  if (wasHidden && entries.length > 0) requestAnimationFrame(() => view.reveal(selection.active)); // the box is narrower now
  const bar = document.getElementById("selection");
  bar.hidden = entries.length < 2;
  bar.replaceChildren(element("strong", {}, ngettext("%(num)s selected", "%(num)s selected", entries.length)), clearButton());
  box.setAttribute("aria-activedescendant", `entry-${selection.active}`);
}

function clearButton() {
  const button = element("button", { type: "button", class: "plain" }, icon("x"), _("Select nothing"));
  button.addEventListener("click", () => {
    selection.clear();
    box.focus();
  });
  return button;
}

// Loading

async function loadMore() {
  const loaded = listing;
  const under = loaded.load();
  if (under === null) return;
  try {
    await under;
  } catch (error) {
    if (error.name === "AbortError" || loaded !== listing) return;
    loaded.isComplete = true;
    reportErrors([error]);
  }
  if (loaded !== listing) return;
  view.setEntries(loaded.entries, { keepNodes: true });
  showStatus();
}

function showStatus() {
  const count = listing.entries.length;
  const texts = listing.isComplete ? [ngettext("%(num)s entry", "%(num)s entries", count)] : [_("%(num)s entries so far, scroll for more", { num: number(count) })];
  document.getElementById("status").textContent = count ? texts.join(" ") : "";
  const empty = document.getElementById("empty");
  empty.hidden = count > 0 || !listing.isComplete;
  box.hidden = !empty.hidden;
  if (!empty.hidden) empty.replaceChildren(...emptyTexts());
}

function emptyTexts() {
  if (search.value) return [icon("search"), element("p", { class: "empty-title" }, _("Nothing found")), element("p", {}, _("No name contains “%(text)s”.", { text: search.value }))];
  if (mayPublish) return [icon("images"), element("p", { class: "empty-title" }, _("There are no images here")), element("p", {}, _("Drop images or folders here, or choose them with “Upload”."))];
  return [icon("images"), element("p", { class: "empty-title" }, _("There are no images here"))];
}

/** Show a directory, "" for the top, or what a search finds below it. */
function show(path, text, { replace = false, remember = true } = {}) {
  listing.close();
  directory = path;
  if (search.value !== text) search.value = text;
  listing = new Listing(tree, path, text);
  selection.clear();
  selection.active = 0;
  box.scrollTop = 0;
  view.setEntries([]);
  showCrumbs();
  const query = new URLSearchParams();
  if (!isSource) query.set("tree", tree);
  if (path) query.set("directory", path);
  if (text) query.set("search", text);
  const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
  if (remember) history[replace ? "replaceState" : "pushState"]({}, "", address);
}

function showFromAddress() {
  const query = new URLSearchParams(location.search);
  show(query.get("directory") ?? "", query.get("search") ?? "", { remember: false });
}

/** List the directory again; what is selected stays selected if it is still there. */
async function refresh() {
  const next = new Listing(tree, directory, search.value.trim());
  const wanted = listing.entries.length;
  listing.close();
  listing = next;
  try {
    do await next.load();
    while (!next.isComplete && next.entries.length < wanted && listing === next);
  } catch (error) {
    if (error.name !== "AbortError") reportErrors([error]);
  }
  if (listing !== next) return;
  view.setEntries(next.entries);
  selection.retain(next.entries);
  showStatus();
}

let refreshing = null;
function refreshSoon() {
  refreshing ??= setTimeout(() => {
    refreshing = null;
    if (box.scrollTop === 0) refresh();
  }, 1000);
}

function showCrumbs() {
  const segments = directory ? directory.split("/") : [];
  const paths = ["", ...segments.map((_segment, index) => segments.slice(0, index + 1).join("/"))];
  const items = paths.map((path, index) => {
    const name = index ? segments[index - 1] : isSource ? _("Sources") : _("Converted images");
    const link = element("a", { href: `?${new URLSearchParams({ ...(isSource ? {} : { tree }), directory: path })}`, class: "name" }, name);
    if (index === paths.length - 1) link.setAttribute("aria-current", "page");
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      show(path, "");
    });
    return element("li", {}, link);
  });
  document.getElementById("crumbs").replaceChildren(...items);
}

// Actions

async function carryOut(work) {
  try {
    if (await work() !== false) await refresh();
  } catch (error) {
    reportErrors([error]);
    await refresh();
  }
  if (document.activeElement === document.body) box.focus();
}

const renamed = (entry) => carryOut(() => rename(entry));
const deleted = (entries) => carryOut(() => deleteEntries(entries, refresh));

async function converted(entries) {
  try {
    if (!await convert(entries, formats)) return;
    const run = () => location.assign(page.dataset.runs);
    notify(_("The run has started."), { kind: "good", action: page.dataset.runs ? { name: _("Show the run"), run } : null });
  } catch (error) {
    reportErrors([error]);
  }
}

function actionsFor(entries) {
  const [entry] = entries;
  const actions = [];
  if (entries.length === 1 && entry.isDirectory) actions.push(["folder-open", _("Open"), () => show(entry.path, "")]);
  if (mayConvert) actions.push(["wand-sparkles", _("Convert"), () => converted(entries)]);
  if (mayPublish && mayDelete && entries.length === 1) actions.push(["pencil", _("Rename"), () => renamed(entry)]);
  if (mayPublish && entries.length === 1 && !entry.isDirectory) actions.push(["scan", _("Focal point"), () => carryOut(() => setFocalPoint(entry))]);
  if (mayPublish && mayDelete) actions.push(["move", _("Move"), () => carryOut(() => move(entries))]);
  if (mayPublish) actions.push(["copy", _("Copy"), () => carryOut(() => copyTo(entries))]);
  if (mayDelete) actions.push(["trash-2", _("Delete"), () => deleted(entries), "danger"]);
  return actions;
}

function chooseFiles(isFolder) {
  const input = element("input", { type: "file", multiple: true, webkitdirectory: isFolder, accept: isFolder ? null : "image/*,.psd,.xcf,.fits,.tga,.jp2,.jxl,.heic" });
  input.addEventListener("change", () => uploads.add(chosenFiles(input), directory));
  input.click();
}

const BUTTONS = {
  upload: () => chooseFiles(false),
  "upload-folder": () => chooseFiles(true),
  "new-directory": () => carryOut(() => newDirectory(directory).then((path) => path !== null)),
  refresh,
};
for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", BUTTONS[button.dataset.do]);

// Dropping

if (mayPublish) {
  page.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    page.classList.add("dropping");
  });
  page.addEventListener("dragleave", (event) => {
    if (!page.contains(event.relatedTarget)) page.classList.remove("dropping");
  });
  page.addEventListener("drop", (event) => {
    event.preventDefault();
    page.classList.remove("dropping");
    uploads.add(droppedFiles(event.dataTransfer), directory);
  });
}

// Mouse and keyboard

function indexOf(target) {
  const node = target.closest(".images-entry");
  return node ? Number(node.id.slice("entry-".length)) : -1;
}

box.addEventListener("click", (event) => {
  const index = indexOf(event.target);
  if (index < 0) {
    selection.clear();
    return;
  }
  const entry = listing.entries[index];
  if (event.shiftKey) selection.extend(listing.entries, index);
  else if (event.ctrlKey || event.metaKey || event.target.closest(".images-check")) selection.toggle(listing.entries, index);
  else if (entry.isDirectory) show(entry.path, "");
  else selection.only(listing.entries, index);
});

function openActive() {
  const entry = listing.entries[selection.active];
  if (entry === undefined) return;
  if (entry.isDirectory) show(entry.path, "");
  else selection.only(listing.entries, selection.active);
}

function step(by, event) {
  const last = listing.entries.length - 1;
  if (last < 0) return;
  const index = Math.max(0, Math.min(last, selection.active + by));
  if (event.shiftKey) selection.extend(listing.entries, index);
  else selection.only(listing.entries, index);
  view.reveal(index);
  view.refresh();
}

const KEYS = {
  ArrowRight: (event) => step(1, event),
  ArrowLeft: (event) => step(-1, event),
  ArrowDown: (event) => step(view.columns, event),
  ArrowUp: (event) => step(-view.columns, event),
  PageDown: (event) => step(view.columns * view.rowsInSight, event),
  PageUp: (event) => step(-view.columns * view.rowsInSight, event),
  Home: (event) => step(-Infinity, event),
  End: (event) => step(Infinity, event),
  " ": () => listing.entries.length > 0 && selection.toggle(listing.entries, selection.active),
  Enter: openActive,
  Escape: () => selection.clear(),
  Backspace: () => directory && show(parentOf(directory), ""),
  F2: () => mayDelete && mayPublish && selection.size === 1 && renamed(selection.entries[0]),
  Delete: () => mayDelete && selection.size > 0 && deleted(selection.entries),
};
box.addEventListener("keydown", (event) => {
  if (event.key === "a" && (event.ctrlKey || event.metaKey)) selection.all(listing.entries);
  else if (event.key in KEYS && !event.ctrlKey && !event.metaKey && !event.altKey) KEYS[event.key](event);
  else return;
  event.preventDefault();
});
for (const name of ["focus", "blur"]) box.addEventListener(name, () => view.refresh());

// Search, view and history

let typing;
search.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => show(directory, search.value.trim(), { replace: true }), TYPING_MS);
});

function setView(kind) {
  view.setKind(kind);
  for (const button of document.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === kind));
  localStorage.setItem("images-view", kind);
}
for (const button of document.querySelectorAll("[data-view]")) button.addEventListener("click", () => setView(button.dataset.view));
addEventListener("popstate", showFromAddress);
setView(localStorage.getItem("images-view") === "list" ? "list" : "grid");
showFromAddress();
