// The page Automatic conversion: a scan on request, its schedule, and the state of a running scan.

import { IMAGES, request } from "./api.js";
import { notify, whileVisible } from "./console.js";
import { prepareSchedule } from "./schedule.js";

const CONVERT = `${IMAGES}/convert`;
const POLL_SECONDS = 3;

const actions = {
  scan: () => request(`${CONVERT}/scan`, { method: "POST", json: {} }),
  "reset-schedule": () => request(`${CONVERT}/schedule`, { method: "DELETE" }),
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-action]");
  if (!button) return;
  button.disabled = true;
  try {
    await actions[button.dataset.action]();
    location.reload();
  } catch (error) {
    notify(error.message, { kind: "bad" });
    button.disabled = false;
  }
});

prepareSchedule(() => location.reload());
if (document.querySelector("[data-running]")) whileVisible(POLL_SECONDS, () => location.reload());
