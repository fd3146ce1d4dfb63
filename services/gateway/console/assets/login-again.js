// A dialog to log in again when the login has ended while a page is open, so that nothing on it is lost.

import { logIn } from "./login-request.js";
import { _ } from "./text.js";
import { element } from "./console.js";

/** Show the dialog until the user has logged in; throws if it is closed. */
export function logInAgain() {
  const input = element("input", { type: "password", id: "again-key", name: "apiKey", autocomplete: "current-password", required: true });
  const problem = element("p", { class: "problem", role: "alert", hidden: true });
  const dialog = element("dialog", { class: "dialog", "aria-labelledby": "again-title" },
    element("form", { method: "dialog" },
      element("h2", { id: "again-title" }, _("Your login has ended")),
      element("p", {}, _("Log in again to go on. Nothing on this page is lost.")),
      element("label", { for: "again-key" }, _("API key")),
      input,
      problem,
      element("div", { class: "dialog-actions" },
        element("button", { type: "button", "data-cancel": "" }, _("Cancel")),
        element("button", { type: "submit", class: "primary" }, _("Log in")))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve, reject) => {
    dialog.querySelector("form").addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        await logIn({ apiKey: input.value });
        resolve();
        dialog.close();
      } catch (error) {
        problem.textContent = error.message;
        problem.hidden = false;
        input.select();
      }
    });
    dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      reject(new Error(_("You are not logged in.")));
    });
  });
}
