// What all pages have: the menus, notices, dialogs that ask, and times in the reader's time zone.

import { _, dateTime } from "./text.js";

/** A new element with attributes and children; a text child stays a text, whatever it contains. */
export function element(name, attributes = {}, ...children) {
  const created = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) created.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) created.setAttribute(key, value);
  }
  created.append(...children.filter((child) => child !== null && child !== undefined));
  return created;
}

/** An icon of the sprite, by its name in `vendor/icons.svg`. */
export function icon(name) {
  const sprite = document.querySelector("svg.icon use").getAttribute("href").split("#")[0];
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** Show a notice for some seconds; `kind` is "", "good" or "bad", `action` is `{name, run}` such as an undo. */
export function notify(text, { kind = "", action = null } = {}) {
  const notice = element("div", { class: `notice ${kind}` }, icon(kind === "bad" ? "triangle-alert" : kind === "good" ? "circle-check" : "info"), element("p", {}, text));
  const close = () => notice.remove();
  if (action) {
    const button = element("button", { type: "button" }, action.name);
    button.addEventListener("click", () => {
      close();
      action.run();
    });
    notice.append(button);
  }
  const dismiss = element("button", { type: "button", class: "plain", "aria-label": _("Close") }, icon("x"));
  dismiss.addEventListener("click", close);
  notice.append(dismiss);
  document.getElementById("notices").append(notice);
  setTimeout(() => {
    if (!notice.matches(":hover, :focus-within")) close();
    else notice.addEventListener("mouseleave", close);
  }, action || kind === "bad" ? 12000 : 6000);
}

/** Ask a question; returns whether it was confirmed. `details` is a text or an element. */
export function ask(title, { details = "", confirm = _("OK"), isDangerous = false } = {}) {
  const dialog = element("dialog", { class: "dialog", "aria-labelledby": "ask-title" },
    element("form", { method: "dialog" },
      element("h2", { id: "ask-title" }, title),
      typeof details === "string" ? element("p", {}, details) : details,
      element("div", { class: "dialog-actions" },
        element("button", { value: "" }, _("Cancel")),
        element("button", { value: "yes", class: isDangerous ? "danger" : "primary" }, confirm))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

/** Copy a text, and say so. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page over HTTP from another machine has no clipboard of its own.
    const area = element("textarea", { class: "visually-hidden", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  notify(_("Copied"), { kind: "good" });
}

/** Write the times below `root` in the reader's time zone. */
export function showLocalTimes(root = document) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = dateTime(time.dateTime);
    time.title = time.dateTime;
  }
}

/** Call `refresh` every so many seconds while the page is visible. */
export function whileVisible(seconds, refresh) {
  let timer = null;
  const set = () => {
    clearInterval(timer);
    timer = document.hidden ? null : setInterval(refresh, seconds * 1000);
  };
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh();
    set();
  });
  set();
}

const menuButton = document.querySelector("[data-menu]");
const navigation = document.getElementById("navigation");
if (navigation) {
  menuButton.addEventListener("click", () => {
    const isOpen = navigation.classList.toggle("open");
    menuButton.setAttribute("aria-expanded", String(isOpen));
  });
} else {
  menuButton.hidden = true;
}

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.querySelector("[data-logout]")?.addEventListener("click", async () => {
  await fetch("/admin/api/v1/login", { method: "DELETE", headers: { "Content-Type": "application/json" }, body: "{}" }).catch(() => {});
  location.assign("/console/login");
});

showLocalTimes();
document.addEventListener("htmx:afterSwap", (event) => showLocalTimes(event.target));
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) location.reload();
  else notify(_("The server cannot be reached."), { kind: "bad" });
});
document.addEventListener("htmx:sendError", () => notify(_("The server cannot be reached."), { kind: "bad" }));
