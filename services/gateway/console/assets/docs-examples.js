// The buttons that copy an example.

import { copy } from "./console.js";

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => copy(button.parentElement.querySelector("code").textContent));
}
