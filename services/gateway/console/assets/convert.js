// The page *Convert*: the choice of formats, and the ways in which files arrive. What converts and shows them is
// loaded with the first file.

import { _, ngettext } from "./text.js";

const CHOICE = "convert.formats";
const MAX_DEFAULTS = 4; // of the first type

const options = JSON.parse(document.getElementById("options")?.textContent ?? "null");
const boxes = [...document.querySelectorAll("input[name=format]")];
const drop = document.querySelector(".drop");

/** The chosen formats, as `{id, name, type, fit}`. */
export function chosenFormats() {
  return boxes.filter((box) => box.checked).map((box) => ({ id: box.value, ...box.dataset }));
}

function remembered() {
  try {
    const ids = JSON.parse(localStorage.getItem(CHOICE)) ?? [];
    return boxes.filter((box) => ids.includes(box.value));
  } catch {
    return []; // storage is switched off, or something else has written there
  }
}

function remember() {
  try {
    localStorage.setItem(CHOICE, JSON.stringify(chosenFormats().map((each) => each.id)));
  } catch {
    // the choice lasts as long as the page
  }
}

function showChoice() {
  const count = chosenFormats().length;
  document.querySelector("[data-chosen]").textContent = ngettext("%(num)s chosen", "%(num)s chosen", count);
}

function initChoice() {
  const chosen = remembered();
  const defaults = boxes.filter((box) => box.dataset.type === boxes[0].dataset.type).slice(0, MAX_DEFAULTS);
  for (const box of chosen.length > 0 ? chosen : defaults) box.checked = true;
  showChoice();
  document.querySelector(".formats").addEventListener("change", async () => {
    showChoice();
    remember();
    if (list !== null) (await list).formatsChanged();
  });
}

let list = null;

function loadedList() {
  list ??= import("./convert-list.js").then(({ FileList }) => new FileList(options, chosenFormats));
  return list;
}

/** Add what was dropped, pasted or chosen: files, and entries of file systems. */
async function add(items) {
  if (items.length === 0) return;
  if (list === null && matchMedia("(max-width: 75rem)").matches) document.querySelector(".formats").open = false;
  drop.classList.add("compact");
  const page = await loadedList();
  await page.add(items);
}

/** The files and directories of a drop; only while its event is handled they can be had. */
function itemsOf(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  return items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter((item) => item !== null);
}

function initDrop() {
  let depth = 0;
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const show = () => drop.classList.toggle("over", depth > 0);
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    show();
  });
  addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    depth = Math.max(0, depth - 1);
    show();
  });
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    show();
    add(itemsOf(event.dataTransfer));
  });
}

/** A pasted image under a name of its own: browsers call each of them `image.png`. */
function named(file) {
  if (!/^image\.\w+$/.test(file.name)) return file;
  const time = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return new File([file], `${_("pasted")}-${time}.${file.name.split(".").pop()}`, { type: file.type });
}

function initChoosing() {
  for (const [name, selector] of [["files", "[data-files]"], ["folder", "[data-folder]"]]) {
    const input = document.querySelector(selector);
    document.querySelector(`[data-choose=${name}]`).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      add([...input.files]);
      input.value = "";
    });
  }
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    add(files.map(named));
  });
}

if (options !== null) {
  initChoice();
  initDrop();
  initChoosing();
}
