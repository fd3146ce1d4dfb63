// The page Reports: make reports, clean up, restore, repair, upload the catalog.

import { ApiError, IMAGES, persistently, request, requestJson, upload } from "./api.js";
import { ask, element, icon, notify } from "./console.js";
import { prepareSchedule } from "./schedule.js";
import { _, bytes, ngettext, percent } from "./text.js";

const type = () => document.getElementById("report").dataset.type;
const reports = `${IMAGES}/report`;

function refresh(part = "report") {
  const address = part === "progress" ? location.pathname : location.pathname + location.search;
  return window.htmx.ajax("GET", address, { target: `#${part}`, swap: "outerHTML" });
}

async function start(button) {
  const { shrunken } = button.dataset;
  await requestJson(reports, { method: "POST", json: shrunken ? { shrunken: [shrunken] } : {} });
  await refresh("progress");
}

function openCleanup() {
  const room = document.getElementById("cleanup");
  room.replaceChildren(
    element("h2", { id: "cleanup-title" }, _("Finding out what can go …")),
    element("progress", { "aria-label": _("Finding out what can go …") }));
  document.getElementById("cleanup-dialog").showModal();
}

async function clean(button) {
  const query = new URLSearchParams({ dryRun: "false" });
  // The share is rounded to four digits.
  if (button.dataset.share) query.set("share", String(Math.min(1, Number(button.dataset.share) + 0.0001)));
  button.closest(".dialog-actions").before(element("progress", { "aria-label": _("The files are being moved …") }));
  const done = await requestJson(`${reports}/${button.dataset.type}/unused?${query}`, { method: "DELETE" })
    .finally(() => document.getElementById("cleanup-dialog").close()); // which would cover the notice of an error
  if (done.files === undefined) {
    notify(_("The clean-up goes on. The trash will have the files."));
  } else {
    const { trash, files } = done;
    notify(ngettext("%(num)s file is in the trash now.", "%(num)s files are in the trash now.", files),
      { kind: "good", action: trash ? { name: _("Undo"), run: () => attempt(() => restore(trash)) } : null });
  }
  await refresh();
}

async function restore(trash) {
  const { files, kept } = await requestJson(`${reports}/restore`, { method: "POST", json: { trash } });
  if (files === undefined) notify(_("The files are being restored."));
  else notify(ngettext("%(num)s file is restored.", "%(num)s files are restored.", files), { kind: "good" });
  if (kept) notify(ngettext("%(num)s file stays in the trash, because there is a new one of its name.", "%(num)s files stay in the trash, because there are new ones of their names.", kept));
  await refresh();
}

async function repair(button) {
  const details = _("Missing images are made again from their sources, as far as these are stored. The next report shows the result.");
  const count = Number(button.dataset.count);
  if (!await ask(ngettext("Convert %(num)s missing image again?", "Convert %(num)s missing images again?", count), { details, confirm: _("Convert again") })) return;
  const done = await requestJson(`${reports}/${type()}/repair`, { method: "POST", json: {}, headers: { "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()) } });
  if (done.converting === undefined) notify(_("The missing images are being converted."));
  else if (!done.converting) notify(_("None of the missing images has a source."), { kind: "bad" });
  else notify(ngettext("%(num)s image is being converted again.", "%(num)s images are being converted again.", done.converting), { kind: "good" });
  if (done.converting && done.withoutSource) notify(ngettext("%(num)s missing image has no source.", "%(num)s missing images have no source.", done.withoutSource));
}

async function resetSchedule() {
  await request(`${reports}/schedule`, { method: "DELETE" });
  await refresh();
}

/** Run an action of the user, and report what goes wrong. */
async function attempt(action, button = null) {
  if (button) button.disabled = true;
  try {
    await action(button);
  } catch (error) {
    notify(error.message, { kind: "bad" });
  } finally {
    if (button?.isConnected) button.disabled = false;
  }
}

const actions = { start, cleanup: openCleanup, clean, repair, restore: (button) => restore(button.dataset.trash), "reset-schedule": resetSchedule };

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action]");
  if (!button) return;
  if (button.dataset.action === "cleanup") openCleanup();
  else attempt(actions[button.dataset.action], button);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-confirm-share]")) {
    document.querySelector("[data-action=clean]").disabled = !event.target.checked;
  } else if (event.target.id === "catalog-file" && event.target.files.length) {
    attempt(() => sendCatalog(event.target.files[0]));
  }
});

// An image that is gone since the report: errors of images do not bubble.
document.addEventListener("error", (event) => {
  if (!event.target.matches?.("img.thumbnail")) return;
  event.target.replaceWith(element("span", { class: "thumbnail no-image" }, icon("image")));
}, true);

for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const area = event.target.closest?.("[data-drop]");
    document.querySelector("[data-drop]")?.classList.toggle("over", name === "dragover" && area !== null);
    if (name === "dragleave" || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault(); // a file that misses the area must not replace the page
    if (name === "drop" && area && event.dataTransfer.files.length) attempt(() => sendCatalog(event.dataTransfer.files[0]));
  });
}

async function sendCatalog(file) {
  const { max } = document.querySelector("[data-drop]").dataset;
  if (!file.size) throw new Error(_("The file is empty."));
  if (file.size > Number(max)) throw new Error(_("The file is too large; up to %(size)s are allowed.", { size: bytes(Number(max)) }));
  const name = file.name.toLowerCase();
  const notation = /\.csv(\.gz)?$|\.txt$/.test(name) ? "csv" : "ndjson";
  const headers = { "Content-Type": "application/octet-stream", ...(name.endsWith(".gz") ? { "Content-Encoding": "gzip" } : {}) };
  const bar = element("progress", { max: "1", "aria-label": _("Upload") });
  const text = element("p", { class: "hint" });
  document.querySelector(".upload-progress").replaceChildren(bar, text);
  const onProgress = (sent, total) => {
    if (sent < total) bar.value = sent / total;
    else bar.removeAttribute("value");
    text.textContent = sent < total
      ? _("%(sent)s of %(total)s (%(share)s)", { sent: bytes(sent), total: bytes(total), share: percent(sent / total) })
      : _("Each line is being checked …");
  };
  // Sent twice it is the same catalog, so it may be sent again.
  const onWait = () => { text.textContent = _("The server cannot be reached. The upload starts again when it is back."); };
  const send = () => upload(`${IMAGES}/catalog/${type()}?as=${notation}`, { method: "PUT", body: file, headers, onProgress });
  try {
    const { status, json } = await persistently(send, { onWait });
    const catalog = status === 202 ? await imported(json.id) : json;
    if (!catalog.lastImport.failure) {
      notify(ngettext("The catalog is in effect: %(num)s entry.", "The catalog is in effect: %(num)s entries.", catalog.entries), { kind: "good" });
    }
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "invalidValue") throw error; // others are shown with their lines
  } finally {
    document.querySelector(".upload-progress")?.replaceChildren();
    await refresh();
    document.getElementById("catalog").scrollIntoView({ block: "nearest" });
  }
}

/** Wait until an import has ended; returns the catalog. */
async function imported(id) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const catalog = await requestJson(`${IMAGES}/catalog/${type()}?import=${encodeURIComponent(id)}`);
    if (catalog.lastImport.id === id) return catalog;
  }
}

prepareSchedule(refresh);
document.addEventListener("htmx:afterSwap", () => prepareSchedule(refresh));
