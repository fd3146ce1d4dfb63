// The page Previews: clearing keys and contexts, and copying keys.

import { IMAGES, request, requestJson } from "./api.js";
import { ask, copy, notify } from "./console.js";
import { _, ngettext } from "./text.js";

const PREVIEWS = `${IMAGES}/previews`;

async function clearKey(row) {
  await request(`${PREVIEWS}/${encodeURIComponent(row.dataset.key)}`, { method: "DELETE" });
  const following = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  following?.querySelector("summary").focus();
  notify(_("The key was cleared."), { kind: "good" });
}

async function clearMany(query) {
  const { keys } = await requestJson(`${PREVIEWS}?${query}`, { method: "DELETE" });
  sessionStorage.setItem("cleared", ngettext("%(num)s key was cleared.", "%(num)s keys were cleared.", keys));
  location.assign("/console/previews");
}

async function clear(button) {
  const what = button.dataset.clear;
  const row = button.closest("[data-key]");
  const title = {
    all: _("Clear all previews?"),
    context: _("Clear the context %(name)s?", { name: button.dataset.name }),
    key: _("Clear this key?"),
  }[what];
  const details = _("Sources and previews are deleted. Programs that need them again have to send the image again.");
  if (!(await ask(title, { details, confirm: _("Clear"), isDangerous: true }))) return;
  button.disabled = true;
  try {
    if (what === "key") await clearKey(row);
    else await clearMany(what === "all" ? "all=true" : `context=${encodeURIComponent(button.dataset.name)}`);
  } catch (error) {
    notify(error.message, { kind: "bad" });
  }
  button.disabled = false;
}

document.getElementById("content").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.clear) clear(button);
  else if (button && "copy" in button.dataset) copy(button.closest("[data-key]").dataset.key);
});

const cleared = sessionStorage.getItem("cleared");
if (cleared) {
  sessionStorage.removeItem("cleared");
  notify(cleared, { kind: "good" });
}
