// The dialogs of the page: for a name, for a directory, for formats, and for the progress of many steps.
import { element, icon } from "./console.js";
import { listed, nameOf, parentOf } from "./images-listing.js";
import { _, number } from "./text.js";

/** Open a dialog with a button `confirm`, if that is not "". */
export function open(title, confirm, ...content) {
  const dialog = element("dialog", { class: "dialog", "aria-labelledby": "images-dialog" },
    element("form", { method: "dialog" },
      element("h2", { id: "images-dialog" }, title),
      ...content,
      element("div", { class: "dialog-actions" },
        element("button", { type: "button", "data-cancel": "" }, _("Cancel")),
        confirm ? element("button", { value: "yes", class: "primary" }, confirm) : null)));
  dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Wait until a dialog is closed; returns `value()` if it was confirmed, else null. */
export function closed(dialog, value) {
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? value() : null);
    });
  });
}

/** Ask for a name; returns null if that was canceled. */
export function askName(title, label, confirm, value = "") {
  const input = element("input", { id: "images-name", required: true, maxlength: 255, spellcheck: "false", autocomplete: "off" });
  input.value = value;
  const dialog = open(title, confirm, element("label", { for: "images-name" }, label), input);
  const dot = value.lastIndexOf(".");
  input.focus();
  input.setSelectionRange(0, dot > 0 ? dot : value.length);
  input.addEventListener("input", () => {
    input.setCustomValidity(/[/\\]/.test(input.value) ? _("A name has no slash.") : "");
  });
  return closed(dialog, () => input.value.trim());
}

/** Ask for a directory of the source tree, "" for its root; returns null if that was canceled. */
export function askDirectory(title, confirm, start) {
  const input = element("input", { id: "images-directory", spellcheck: "false", autocomplete: "off", "aria-describedby": "images-directory-hint" });
  const list = element("div", { class: "images-directories", role: "group", "aria-label": _("Directories") });
  const dialog = open(title, confirm,
    element("label", { for: "images-directory" }, _("Directory")),
    input,
    element("p", { class: "hint", id: "images-directory-hint" }, _("It is created if it does not exist. Leave it empty for the top.")),
    list);
  const show = async (directory) => {
    input.value = directory;
    list.replaceChildren();
    const found = await directoriesIn(directory).catch(() => []);
    if (input.value !== directory) return;
    const choices = directory ? [[parentOf(directory), _("Up"), "chevron-up"]] : [];
    choices.push(...found.map((path) => [path, nameOf(path), "folder"]));
    for (const [path, name, symbol] of choices) {
      const button = element("button", { type: "button", class: "plain" }, icon(symbol), element("span", { class: "clip" }, name));
      button.addEventListener("click", () => show(path));
      list.append(button);
    }
  };
  show(start);
  input.focus();
  return closed(dialog, () => input.value.trim().replace(/^\/+|\/+$/g, ""));
}

const MAX_DIRECTORIES = 200;
const MAX_PAGES = 5;

async function directoriesIn(directory) {
  const found = [];
  let cursor = "";
  for (let page = 0; page < MAX_PAGES && found.length < MAX_DIRECTORIES; page += 1) {
    const answer = await listed("source", { directory, cursor });
    found.push(...answer.directories);
    cursor = answer.cursor ?? "";
    if (!cursor) break;
  }
  return found.slice(0, MAX_DIRECTORIES);
}

/** Ask for formats, all at first; returns their ids, or null if that was canceled. */
export function askFormats(title, formats) {
  const boxes = formats.map((each) => {
    const box = element("input", { type: "checkbox", value: each.id, checked: true });
    return [box, element("label", { class: "check" }, box, element("span", { class: "name" }, each.name || each.id))];
  });
  const dialog = open(title, _("Convert"),
    element("fieldset", { class: "images-formats" }, element("legend", {}, _("Formats")), ...boxes.map(([, label]) => label)));
  const button = dialog.querySelector("button.primary");
  dialog.addEventListener("change", () => {
    button.disabled = !boxes.some(([box]) => box.checked);
  });
  return closed(dialog, () => boxes.filter(([box]) => box.checked).map(([box]) => box.value));
}

/** A dialog with the progress of many steps; when the user closes it, `aborting` aborts. */
export function showProgress(title, aborting) {
  const done = element("p", { role: "status" }, "");
  const bar = element("progress", { "aria-label": title });
  const dialog = open(title, "", bar, done);
  let isOver = false;
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (!isOver) aborting.abort();
  });
  return {
    set: (count, total) => {
      if (total === null) {
        done.textContent = count ? number(count) : "";
        return;
      }
      done.textContent = _("%(done)s of %(total)s", { done: number(count), total: number(total) });
      bar.max = total;
      bar.value = count;
    },
    close: () => {
      isOver = true;
      dialog.close();
    },
  };
}
