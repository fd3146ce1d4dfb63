// The editor of a copy of the formats file: checked while it is written, with examples, and downloaded.

import { IMAGES, request } from "./api.js";
import { ask, notify } from "./console.js";
import { showExamples, watchSamples } from "./formats-examples.js";
import { _ } from "./text.js";

const PAUSE_MS = 400;
const KEPT = "formats draft";

const text = document.getElementById("toml");
const numbers = document.querySelector(".numbers");
const draft = document.getElementById("draft");
const original = text.value;

function showNumbers() {
  const count = text.value.split("\n").length;
  numbers.textContent = Array.from({ length: count }, (_value, index) => index + 1).join("\n");
  numbers.scrollTop = text.scrollTop;
}

function examples() {
  const path = draft.dataset.path;
  if (!path) return;
  const toml = text.value;
  showExamples(draft, (format) => request(`${IMAGES}/formats/example`, { method: "POST", json: { toml, format, path } }));
}

let checking = null;

/** Show what the text is: its problems, or its formats. Only the newest check counts. */
async function check() {
  checking?.abort();
  checking = new AbortController();
  const { signal } = checking;
  draft.classList.add("stale");
  try {
    const response = await request(location.pathname, {
      method: "POST",
      json: { toml: text.value },
      headers: { "HX-Request": "true", "HX-Target": "draft" },
      signal,
    });
    const parsed = new DOMParser().parseFromString(await response.text(), "text/html");
    if (signal.aborted) return;
    draft.replaceChildren(...parsed.body.childNodes);
    draft.classList.remove("stale");
    examples();
  } catch (error) {
    if (error.name !== "AbortError") notify(error.message, { kind: "bad" });
  }
}

let timer = null;
text.addEventListener("input", () => {
  showNumbers();
  if (text.value === original) sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, text.value);
  clearTimeout(timer);
  timer = setTimeout(check, PAUSE_MS);
});
text.addEventListener("scroll", () => {
  numbers.scrollTop = text.scrollTop;
});

draft.addEventListener("click", (event) => {
  const button = event.target.closest("[data-line]");
  if (!button) return;
  const lines = text.value.split("\n");
  const line = Math.min(Number(button.dataset.line), lines.length);
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  text.focus();
  text.setSelectionRange(start, start + lines[line - 1].length);
  text.scrollTop = Math.max(0, (line - 8) * Number.parseFloat(getComputedStyle(text).lineHeight));
});

document.querySelector("[data-reset]").addEventListener("click", async () => {
  if (text.value !== original) {
    const details = _("Your changes are lost.");
    if (!(await ask(_("Start over with the file of the server?"), { details, confirm: _("Start over"), isDangerous: true }))) return;
  }
  text.value = original;
  text.dispatchEvent(new Event("input"));
});

document.querySelector("[data-download]").addEventListener("click", async () => {
  if (Number(draft.querySelector("[data-problems]").dataset.problems) > 0) {
    const details = _("The server would not accept the file: it would keep the formats that it has.");
    if (!(await ask(_("Download a file with problems?"), { details, confirm: _("Download") }))) return;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text.value], { type: "application/toml" }));
  link.download = "formats.toml";
  link.click();
  URL.revokeObjectURL(link.href);
});

watchSamples();
const kept = sessionStorage.getItem(KEPT);
if (kept !== null && kept !== original) {
  text.value = kept;
  notify(_("Your changes from before are back."));
  check();
} else {
  examples();
}
showNumbers();
