// The form that starts a run: what would be done is shown first.

import { IMAGES, requestJson } from "./api.js";
import { element, notify } from "./console.js";
import { _, ngettext, number } from "./text.js";

const CONVERT = `${IMAGES}/convert`;
const SUGGESTIONS = 50;

const form = document.getElementById("new-run");
const panel = document.querySelector(".plan");
const shown = panel?.querySelector("[data-plan]");
let counting = null;

function chosen() {
  const data = new FormData(form);
  return {
    action: data.get("action").trim(),
    source: data.get("source"),
    directory: data.get("source") === "directory" ? data.get("directory").trim() : "",
    formatList: data.getAll("format"),
    ...(form.dataset.subshop ? { subshopId: form.dataset.subshop } : {}),
  };
}

function problem(field, text) {
  const place = document.getElementById(`${field}-problem`);
  place.textContent = text;
  place.hidden = !text;
  if (field === "directory") form.elements.directory.setAttribute("aria-invalid", String(Boolean(text)));
}

/** Whether the form can be sent; says what is missing. */
function check(body) {
  problem("directory", body.source === "directory" && !body.directory ? _("Which directory?") : "");
  problem("format", body.formatList.length ? "" : _("Choose at least one format."));
  form.querySelector("[aria-invalid=true]")?.focus();
  return form.querySelector(".problem:not([hidden])") === null;
}

function explain(error) {
  if (error.field === "directory") {
    problem("directory", error.message);
    form.elements.directory.focus();
  } else if (error.field === "formatList") problem("format", error.message);
  else notify(error.message, { kind: "bad" });
}

/** Count what a run would do, and show the numbers as they grow. */
async function plan() {
  const body = chosen();
  stop();
  if (!check(body)) return;
  const mine = new AbortController();
  counting = mine;
  const sums = new Map();
  let sources = 0;
  let cursor = "";
  setCounting(true);
  try {
    do {
      const found = await requestJson(`${CONVERT}/plan`, { method: "POST", json: { ...body, cursor }, signal: mine.signal });
      sources += found.sources;
      for (const each of found.formats) {
        const sum = sums.get(each.id) ?? { name: each.name, make: 0, upToDate: 0, notImages: 0 };
        for (const key of ["make", "upToDate", "notImages"]) sum[key] += each[key];
        sums.set(each.id, sum);
      }
      cursor = found.cursor ?? "";
      show(sums, sources, cursor !== "");
    } while (cursor);
  } catch (error) {
    if (error.name !== "AbortError") explain(error);
  }
  if (counting === mine) setCounting(false);
}

function setCounting(isCounting) {
  if (!isCounting) counting = null;
  panel.querySelector("[data-plan-progress]").hidden = !isCounting;
  panel.querySelector("[data-stop]").hidden = !isCounting;
}

function stop() {
  counting?.abort();
  setCounting(false);
}

function show(sums, sources, isPartial) {
  panel.querySelector("[data-no-plan]").hidden = true;
  if (shown.hidden) {
    shown.hidden = false;
    panel.scrollIntoView({ block: "nearest" });
  }
  const rows = [...sums.values()].map((each) => element("tr", {},
    element("th", { scope: "row", class: "name" }, each.name),
    ...["make", "upToDate", "notImages"].map((key) => element("td", { class: "number" }, number(each[key])))));
  shown.querySelector("tbody").replaceChildren(...rows);
  const make = [...sums.values()].reduce((sum, each) => sum + each.make, 0);
  const state = panel.querySelector("[data-plan-state]");
  if (isPartial) state.textContent = ngettext("%(num)s file checked so far …", "%(num)s files checked so far …", sources);
  else if (sources === 0) state.textContent = _("There are no images.");
  else if (make === 0) state.textContent = _("Everything is up to date; there is nothing to be done.");
  else state.textContent = ngettext("%(num)s image would be made.", "%(num)s images would be made.", make);
}

async function start(button) {
  const body = chosen();
  if (!check(body)) return;
  stop();
  button.disabled = true;
  try {
    const started = await requestJson(`${CONVERT}/start?details=true`, {
      method: "POST", json: body, headers: { "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()) },
    });
    location.assign(`/console/runs/${started.id}`);
  } catch (error) {
    button.disabled = false;
    if (error.status === 503 && error.retryAfter !== null) {
      notify(_("Another run is active at the moment. It has to end first."), {
        kind: "bad", action: { name: _("Show the active run"), run: () => location.assign("/console/runs") },
      });
    } else explain(error);
  }
}

/** Suggest the directories below what was typed. */
async function suggest() {
  const typed = form.elements.directory.value;
  const parent = typed.includes("/") ? typed.slice(0, typed.lastIndexOf("/")) : "";
  try {
    const query = new URLSearchParams({ directory: parent, limit: String(SUGGESTIONS) });
    const { directories } = await requestJson(`${IMAGES}/sources?${query}`);
    document.getElementById("directories").replaceChildren(...directories.map((value) => element("option", { value })));
  } catch {
    // there are no suggestions
  }
}

function setSource() {
  const isByFormat = form.elements.source.value === "format";
  form.querySelector("[data-directory]").hidden = isByFormat;
  for (const each of form.querySelectorAll(".format-directory")) each.hidden = !isByFormat;
  for (const label of form.querySelectorAll("[data-without-directory]")) {
    const box = label.querySelector("input");
    box.disabled = isByFormat;
  }
}

if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    plan();
  });
  form.addEventListener("change", () => {
    stop();
    shown.hidden = true;
    panel.querySelector("[data-no-plan]").hidden = false;
    setSource();
  });
  let parent = null;
  form.elements.directory.addEventListener("input", () => {
    problem("directory", "");
    const now = form.elements.directory.value.split("/").slice(0, -1).join("/");
    if (now !== parent) suggest();
    parent = now;
  });
  panel.querySelector("[data-stop]").addEventListener("click", stop);
  panel.querySelector("[data-start]").addEventListener("click", (event) => start(event.currentTarget));
  setSource();
  suggest();
}
