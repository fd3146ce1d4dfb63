// The page Health renews itself while it is visible, and requeues and drops dead letters.

import { IMAGES, request } from "./api.js";
import { ask, notify, showLocalTimes, whileVisible } from "./console.js";
import { _, bytes, language, ngettext, number } from "./text.js";

const SECONDS = 5;
const ROUNDS_PER_HOUR_PLOT = 12;

/** Fetch a part of the page again, and keep what is open and focused in it. */
async function renew(name) {
  const part = document.getElementById(name);
  const response = await request(location.pathname, { headers: { "HX-Request": "true", "HX-Target": name } });
  const parsed = new DOMParser().parseFromString(await response.text(), "text/html");
  const open = [...part.querySelectorAll("details[open]")].map((each) => each.id);
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const focusedId = focused?.closest("[id]")?.id;
  const isSummary = focused?.localName === "summary";
  const scrolled = new Map([...part.querySelectorAll(".table[id]")].map((each) => [each.id, each.scrollLeft]));
  part.replaceChildren(...parsed.body.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  for (const [id, left] of scrolled) document.getElementById(id)?.scrollTo({ left });
  if (focusedId && focusedId !== name) {
    const element = document.getElementById(focusedId);
    (isSummary ? element?.querySelector("summary") : element)?.focus({ preventScroll: true });
  }
  showLocalTimes(part);
}

const live = document.querySelector("[data-live]");
const lost = document.querySelector("[data-lost]");
let round = 0;
let isRenewing = false;

function stateNow() {
  return document.querySelector("#now [data-state]").dataset;
}

async function renewAll() {
  if (isRenewing) return;
  isRenewing = true;
  const before = { ...stateNow() };
  try {
    await renew("now");
    round += 1;
    if (round % ROUNDS_PER_HOUR_PLOT === 0) await renew("hour");
    const after = stateNow();
    if (before.dead !== after.dead) await renew("dead");
    if (before.state !== after.state) announce(after.state);
    lost.hidden = true;
    live.hidden = false;
  } catch {
    lost.hidden = false;
    live.hidden = true;
  } finally {
    isRenewing = false;
  }
}

function announce(state) {
  document.querySelector("[data-announcement]").textContent =
    state === "good" ? _("Everything is running again.") : _("Something is not running as it should.");
}

whileVisible(SECONDS, renewAll);

/** Say what the column of a plot below the pointer stands for; the table has the same for all others. */
function explain(event) {
  const area = event.target.closest?.("[data-plot]");
  for (const tip of document.querySelectorAll(".plot-tip")) tip.hidden = true;
  if (!area) return;
  const { times, values } = JSON.parse(area.dataset.plot);
  const box = area.querySelector("svg").getBoundingClientRect();
  const column = Math.floor(((event.clientX - box.left) / box.width) * times.length);
  if (column < 0 || column >= times.length || event.clientY > box.bottom) return;
  const names = [...area.parentElement.querySelectorAll("[data-name]")].map((each) => each.textContent);
  const time = new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(new Date(times[column]));
  const format = area.dataset.unit === "bytes" ? bytes : number;
  const tip = area.querySelector(".plot-tip");
  tip.textContent = [time, ...values[column].map((value, index) => `${names[index]} ${format(value)}`)].join(" · ");
  tip.hidden = false;
}

document.getElementById("hour").addEventListener("pointermove", explain);
document.getElementById("hour").addEventListener("pointerleave", explain);

async function change(ids, action) {
  let done = 0;
  try {
    for (const id of ids) {
      await request(`${IMAGES}/jobs/dead/${encodeURIComponent(id)}`, { method: action === "requeue" ? "POST" : "DELETE" });
      done += 1;
    }
    notify(
      action === "requeue"
        ? ngettext("%(num)s job is retried.", "%(num)s jobs are retried.", done)
        : ngettext("%(num)s job was dropped.", "%(num)s jobs were dropped.", done),
      { kind: "good" });
  } catch (error) {
    notify(error.message, { kind: "bad" });
  }
  await renew("dead");
  await renew("now");
  if (document.activeElement === document.body) document.querySelector("#dead-table")?.focus();
}

document.getElementById("dead").addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const rows = button.dataset.all ? [...document.querySelectorAll("#dead [data-id]")] : [button.closest("[data-id]")];
  const action = button.dataset.all ?? ("requeue" in button.dataset ? "requeue" : "drop");
  const ids = rows
    .filter((row) => action === "drop" || row.querySelector("[data-requeue]"))
    .map((row) => row.dataset.id);
  if (action === "drop") {
    const question = ngettext("Drop %(num)s job?", "Drop %(num)s jobs?", ids.length);
    const details = _("It is deleted with its reason and cannot be run any more. No image is deleted.");
    if (!(await ask(question, { details, confirm: _("Drop"), isDangerous: true }))) return;
  }
  await change(ids, action);
});
