// The trash of sources: restoring and deleting what is selected on the page.
import { IMAGES, request } from "./api.js";
import { ask } from "./console.js";
import { forEach, reportErrors, restore } from "./images-actions.js";
import { inUrl } from "./images-listing.js";
import { loadThumbnail } from "./images-thumbnails.js";
import { ngettext, _ } from "./text.js";

const table = document.getElementById("trash");
const all = document.getElementById("all");
const buttons = Object.fromEntries([...document.querySelectorAll("[data-do]")].map((each) => [each.dataset.do, each]));

function selected() {
  return [...table.querySelectorAll("tbody input:checked")].map((box) => box.value);
}

function show() {
  const count = selected().length;
  buttons.restore.disabled = count === 0;
  buttons.delete.disabled = count === 0;
  document.getElementById("selected").textContent = count ? ngettext("%(num)s selected", "%(num)s selected", count) : "";
  all.indeterminate = count > 0 && count < table.tBodies[0].rows.length;
  all.checked = count === table.tBodies[0].rows.length;
}

async function carriedOut(work) {
  for (const button of Object.values(buttons)) button.disabled = true;
  try {
    const kept = new Set(await work());
    for (const box of table.querySelectorAll("tbody input:checked")) {
      if (!kept.has(box.value)) box.closest("tr").remove();
    }
    if (table.tBodies[0].rows.length === 0) location.assign("/console/images/trash");
    buttons.empty.disabled = false;
    show();
  } catch (error) {
    reportErrors([error]);
    for (const button of Object.values(buttons)) button.disabled = false;
    show();
  }
}

for (const image of document.querySelectorAll("[data-thumbnail]")) loadThumbnail(image, image.dataset.thumbnail);

if (table) {
  table.addEventListener("change", (event) => {
    if (event.target === all) {
      for (const box of table.querySelectorAll("tbody input")) box.checked = all.checked;
    }
    show();
  });
  buttons.restore.addEventListener("click", () => carriedOut(() => restore(selected())));
  buttons.delete.addEventListener("click", async () => {
    const items = selected();
    const title = ngettext("Delete %(num)s image permanently?", "Delete %(num)s images permanently?", items.length);
    if (!await ask(title, { details: _("It cannot be restored then."), confirm: _("Delete"), isDangerous: true })) return;
    await carriedOut(async () => {
      const errors = await forEach(items, (item) => request(`${IMAGES}/trash/sources/${inUrl(item)}`, { method: "DELETE" }));
      if (errors.some((error) => error.status !== 404)) throw errors[0];
      return [];
    });
  });
  buttons.empty.addEventListener("click", async () => {
    if (!await ask(_("Empty the trash?"), { details: _("Nothing in it can be restored then, on all pages."), confirm: _("Empty"), isDangerous: true })) return;
    await carriedOut(async () => {
      await request(`${IMAGES}/trash/sources?all=true`, { method: "DELETE" });
      location.assign("/console/images/trash");
      return [];
    });
  });
  show();
}
