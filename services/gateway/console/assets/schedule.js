// The form of a schedule: simple times or a cron expression, with its next times while it is edited.

import { requestJson } from "./api.js";
import { notify } from "./console.js";
import { _, dateTime, language } from "./text.js";

const SIMPLE = /^(\d{1,2}) (\d{1,2}) \* \* (\*|[0-7])$/;

/** Make the form work, if there is one that does not work yet; `saved` is called after a change. */
export function prepareSchedule(saved) {
  const form = document.querySelector(".schedule-form:not([data-ready])");
  if (!form) return;
  form.dataset.ready = "";
  for (let day = 1; day <= 7; day += 1) {
    const name = new Intl.DateTimeFormat(language, { weekday: "long", timeZone: "UTC" }).format(Date.UTC(2026, 0, 4 + day));
    form.weekday.add(new Option(name, String(day % 7)));
  }
  for (const zone of Intl.supportedValuesOf?.("timeZone") ?? []) form.querySelector("datalist").append(new Option(zone));
  fill(form);
  form.addEventListener("input", () => {
    showFields(form);
    preview(form);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(form, saved);
  });
  form.closest("details").addEventListener("toggle", () => preview(form));
}

function fill(form) {
  const { cron, zone } = form.dataset;
  const simple = SIMPLE.exec(cron);
  form.often.value = !cron ? "never" : !simple ? "cron" : simple[3] === "*" ? "daily" : "weekly";
  form.cron.value = cron;
  form.zone.value = zone || (cron ? "" : Intl.DateTimeFormat().resolvedOptions().timeZone);
  if (simple) {
    form.at.value = `${simple[2].padStart(2, "0")}:${simple[1].padStart(2, "0")}`;
    if (simple[3] !== "*") form.weekday.value = String(Number(simple[3]) % 7);
  }
  showFields(form);
}

function showFields(form) {
  for (const field of form.querySelectorAll("[data-for]")) {
    field.hidden = !field.dataset.for.split(" ").includes(form.often.value);
  }
}

function schedule(form) {
  const [hour, minute] = form.at.value.split(":").map(Number);
  const zone = form.zone.value.trim();
  switch (form.often.value) {
    case "never": return { cron: "", timeZone: "" };
    case "daily": return { cron: `${minute} ${hour} * * *`, timeZone: zone };
    case "weekly": return { cron: `${minute} ${hour} * * ${form.weekday.value}`, timeZone: zone };
    default: return { cron: form.cron.value.trim(), timeZone: zone };
  }
}

let timer = null;

/** Show the next times, or what is wrong; some time after the last change. */
function preview(form) {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const wanted = schedule(form);
    const next = form.querySelector(".next-times");
    showProblem(form, null);
    next.textContent = "";
    if (!wanted.cron) return;
    try {
      const { nextTimes } = await requestJson(`${form.dataset.address}?${new URLSearchParams(wanted)}`);
      next.textContent = _("Next: %(times)s", { times: nextTimes.slice(0, 3).map(dateTime).join(" · ") });
    } catch (error) {
      showProblem(form, error);
    }
  }, 300);
}

function showProblem(form, error) {
  const problem = form.querySelector(".problem");
  problem.hidden = error === null;
  for (const [input, field] of [[form.cron, "cron"], [form.zone, "timeZone"]]) input.setAttribute("aria-invalid", String(error?.field === field));
  if (!error) return;
  if (error.field === "cron") problem.textContent = _("This is not a cron expression of five fields: minute, hour, day, month, day of the week.");
  else if (error.field === "timeZone") problem.textContent = _("This time zone is not known. One is called Europe/Berlin, for example.");
  else problem.textContent = error.message;
}

async function save(form, saved) {
  clearTimeout(timer);
  try {
    const wanted = schedule(form);
    if (form.often.value === "cron" && !wanted.cron) return showProblem(form, { field: "cron" });
    await requestJson(form.dataset.address, { method: "PUT", json: wanted });
    notify(_("The schedule is changed."), { kind: "good" });
    return await saved();
  } catch (error) {
    return showProblem(form, error);
  }
}
