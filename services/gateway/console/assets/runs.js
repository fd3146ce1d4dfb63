// The pages of runs: live progress, what can be done with a run, and the comparison of two runs.

import { IMAGES, request, requestJson } from "./api.js";
import { ask, element, icon, notify, whileVisible } from "./console.js";
import { _, dateTime, duration, number, percent } from "./text.js";

const CONVERT = `${IMAGES}/convert`;
const MAX_FAILURES = 100;
const POLL_SECONDS = 5;

/** Follow the run that `card` shows, until it ends or the card is replaced. */
function follow(card) {
  const run = card.dataset.live;
  const lost = card.querySelector("[data-lost]");
  let source = null;
  let retry = 1;
  let lastFailure = "";

  const isCurrent = () => card.isConnected;
  const listen = () => {
    if (!isCurrent()) return;
    source = new EventSource(`${CONVERT}/events?run=${encodeURIComponent(run)}&details=true`);
    source.addEventListener("open", () => {
      retry = 1;
      lost.hidden = true;
    });
    source.addEventListener("status", (event) => {
      if (!isCurrent()) {
        source.close();
        return;
      }
      const status = JSON.parse(event.data);
      showProgress(card, status);
      if (!status.running) {
        source.close();
        location.reload();
      }
    });
    source.addEventListener("failed", (event) => {
      if (event.lastEventId === lastFailure) return;
      lastFailure = event.lastEventId;
      showFailures(card, JSON.parse(event.data));
    });
    source.addEventListener("error", async () => {
      lost.hidden = false;
      if (source.readyState !== EventSource.CLOSED) return; // it connects again by itself
      try {
        await requestJson(`${CONVERT}/status?run=${encodeURIComponent(run)}`); // renews the login if it has expired
      } catch {
        retry = Math.min(retry * 2, 30);
      }
      setTimeout(listen, retry * 1000);
    });
  };
  listen();
}

function showProgress(card, status) {
  const { finished, total } = status.progress;
  const progress = card.querySelector("[data-progress]");
  progress.max = Math.max(total, 1);
  progress.value = finished;
  card.querySelector("[data-images]").textContent = `${number(finished)} / ${number(total)}`;
  card.querySelector("[data-outputs]").textContent = number(status.progressFormat.finished);
  if (status.rate !== undefined) card.querySelector("[data-rate]").textContent = number(status.rate, 1);
  card.querySelector("[data-left]").textContent = status.secondsLeft === undefined ? "–" : duration(status.secondsLeft);
  const failed = card.querySelector("[data-failed]");
  failed.classList.toggle("bad", status.counter.error > 0);
  failed.querySelector("dd").textContent = number(status.counter.error);
  say(card, status.progress.percentage);
}

/** Tell screen readers each further tenth, not each image. */
function say(card, percentage) {
  const tenth = String(Math.floor(percentage / 10));
  const said = card.querySelector("[data-said]");
  if (said.dataset.tenth === tenth) return;
  said.dataset.tenth = tenth;
  said.textContent = _("%(share)s of the images are done", { share: percent(percentage / 100) });
}

function showFailures(card, { items }) {
  const list = card.querySelector(".failures ul");
  card.querySelector("[data-failures]").hidden = false;
  const reasons = new Map();
  for (const { source, message } of items) reasons.set(source, (reasons.get(source) ?? new Set()).add(message));
  for (const [source, messages] of reasons) {
    list.prepend(element("li", {},
      element("bdi", {}, source),
      element("span", { class: "problem" }, [...messages].join(" "))));
  }
  while (list.children.length > MAX_FAILURES) list.lastElementChild.remove();
}

async function cancel(button) {
  const isSure = await ask(_("Cancel the run?"), {
    details: _("What is converted already stays. You can start the run again at any time; it goes on with what is missing."),
    confirm: _("Cancel the run"),
    isDangerous: true,
  });
  if (!isSure) return;
  button.disabled = true;
  try {
    await request(`${CONVERT}/cancel?run=${button.dataset.cancel}`, { method: "POST", json: {} });
    location.reload();
  } catch (error) {
    button.disabled = false;
    notify(error.message, { kind: "bad" });
  }
}

async function retry(button) {
  button.disabled = true;
  try {
    const started = await requestJson(`${CONVERT}/retry?details=true`, {
      method: "POST",
      json: { run: button.dataset.retry },
      headers: { "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()) },
    });
    location.assign(`/console/runs/${started.id}`);
  } catch (error) {
    button.disabled = false;
    const action = { name: _("Show the active run"), run: () => location.assign("/console/runs") };
    notify(error.message, { kind: "bad", action: error.status === 503 ? action : null });
  }
}

/** Have two runs compared, and show the comparison once it is there. */
async function compare({ run, base }) {
  try {
    for (;;) {
      const response = await request(`${CONVERT}/compare`, { method: "POST", json: { run, base } });
      if (response.status === 200) break;
    }
    location.reload();
  } catch (error) {
    notify(error.message, { kind: "bad" });
  }
}

/** Show the overview anew when a run was started or has ended elsewhere. */
function watch(overview) {
  whileVisible(POLL_SECONDS, async () => {
    if (overview.querySelector("[data-live]")) return; // it follows its run
    try {
      const { id = "" } = await requestJson(`${CONVERT}/status?details=true`);
      if (id === overview.dataset.overview) return;
      overview.dataset.overview = id;
      await window.htmx.ajax("GET", location.href, { target: "#overview", swap: "innerHTML" });
      prepare(overview);
    } catch {
      // the next time
    }
  });
}

/** An icon in the place of an image that cannot be shown. */
function replaceBroken(image) {
  image.replaceWith(element("span", { class: "thumbnail missing" }, icon("image")));
}

function prepare(root) {
  for (const card of root.querySelectorAll("[data-live]")) follow(card);
  for (const option of root.querySelectorAll("option[data-time]")) {
    option.textContent = `${dateTime(option.dataset.time)} · ${option.dataset.title}`;
  }
  for (const image of root.querySelectorAll("img.thumbnail")) {
    if (image.complete && image.currentSrc && image.naturalWidth === 0) replaceBroken(image);
    else image.addEventListener("error", () => replaceBroken(image), { once: true });
  }
}

document.addEventListener("click", (event) => {
  const cancelButton = event.target.closest("[data-cancel]");
  if (cancelButton) cancel(cancelButton);
  const retryButton = event.target.closest("[data-retry]");
  if (retryButton) retry(retryButton);
});
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-compare]");
  if (!form) return;
  event.preventDefault();
  location.assign(`/console/runs/${form.dataset.compare}/compare/${form.elements.base.value}`);
});
document.addEventListener("htmx:afterSwap", (event) => prepare(event.target));

prepare(document);
const overview = document.querySelector("[data-watch]");
if (overview) watch(overview);
const comparing = document.querySelector("[data-comparing]");
if (comparing) compare(comparing.dataset);
