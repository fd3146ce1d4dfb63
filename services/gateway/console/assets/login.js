// The login page. A key in the fragment of the address, as `imageconverter up` prints it, logs in at once, unless a page
// of another site has led here: then it waits in the field.

import { logIn } from "./login-request.js";

const login = document.querySelector(".login");
const destination = login.dataset.destination;

async function submitted(form, credentials) {
  const problem = form.querySelector(".problem");
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    await logIn(credentials);
    location.replace(destination);
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
    button.disabled = false;
    form.querySelector("input:not([name=email])").select();
  }
}

for (const form of login.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitted(form, Object.fromEntries(new FormData(form)));
  });
}

function loggedInByFragment() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  const form = login.querySelector("[data-login=key]");
  if (key === null || form === null) return false;
  history.replaceState(null, "", location.pathname + location.search);
  if ("foreign" in login.dataset) {
    form.elements.apiKey.value = key;
    return false;
  }
  submitted(form, { apiKey: key });
  return true;
}

addEventListener("hashchange", loggedInByFragment);
if (!loggedInByFragment() && document.referrer !== "" && !document.referrer.startsWith(location.origin)) {
  // A link from another site does not send the cookies of the login; a request from here does.
  fetch("/admin/api/v1/login/refresh", { method: "POST" })
    .then((response) => response.ok && location.replace(destination))
    .catch(() => {});
}
