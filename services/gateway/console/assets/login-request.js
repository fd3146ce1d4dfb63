// The request that logs in and sets the cookies.

import { _ } from "./text.js";

/** Log in with `{apiKey}` or `{email, password}`. Throws an Error with a message for people. */
export async function logIn(credentials) {
  let response;
  try {
    response = await fetch("/admin/api/v1/login?setCookie", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(credentials),
    });
  } catch {
    throw new Error(_("The server cannot be reached."));
  }
  if (response.ok) return;
  if (response.status === 401) throw new Error(_("These credentials are not valid."));
  if (response.status === 429) throw new Error(_("Too many attempts. Please wait a little."));
  const answer = await response.json().catch(() => ({}));
  throw new Error(answer.reason ?? _("The server cannot be reached."));
}
