// Requests to the public API with the cookie of the login, which is renewed when it has expired.

import { _, language } from "./text.js";

export const IMAGES = "/admin/api/v1/images";

/** What a response means, as a sentence for people. Its reason is English, so other languages get their own. */
function meaning(status, { reason, type }) {
  if (reason === undefined) return _("The server cannot be reached.");
  if (language === "en") return reason;
  const known = {
    401: _("Your key does not allow this."),
    404: _("This does not exist (anymore)."),
    409: _("This was changed in the meantime."),
    412: _("This was changed in the meantime."),
    413: _("This is too large."),
    429: _("There are too many requests at the moment."),
    503: _("This is not possible at the moment."),
  }[status];
  const general = type === "invalidFileFormat" ? _("This is no image that can be read.") : known ?? _("This is not possible.");
  return `${general} (${reason})`;
}

/** A response that is an error, or none at all (status 0). `reason` is the English sentence of the API. */
export class ApiError extends Error {
  constructor(status, answer = {}, retryAfter = null) {
    super(meaning(status, answer));
    this.reason = answer.reason ?? "";
    this.status = status;
    this.code = answer.type ?? "";
    this.field = answer.field ?? "";
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later. */
  get isTemporary() {
    return [0, 429, 502, 504].includes(this.status) || ([409, 503].includes(this.status) && this.retryAfter !== null);
  }
}

let renewal = null;

/** Renew the login; where that is not possible, let the user log in again without leaving the page. */
export function renew() {
  renewal ??= (async () => {
    try {
      const response = await fetch("/admin/api/v1/login/refresh", { method: "POST" }).catch(() => null);
      if (response === null) throw new ApiError(0);
      if (response.ok) return;
      if (response.status !== 401) throw await errorOf(response);
      const { logInAgain } = await import("./login-again.js");
      await logInAgain();
    } finally {
      renewal = null;
    }
  })();
  return renewal;
}

async function errorOf(response) {
  const retryAfter = response.headers.get("Retry-After");
  return new ApiError(response.status, await response.json().catch(() => ({})), retryAfter && Number(retryAfter));
}

/** Whether the login is valid, but its key lacks a permission, so that a new login would not help. */
function isDenied(error) {
  return /permission/.test(error.reason);
}

/**
 * Send a request; `json` is an object to be sent as JSON. Returns the response.
 * Throws ApiError, and AbortError if `signal` is aborted.
 */
export async function request(path, { method = "GET", json, body, headers = {}, signal } = {}) {
  const options = { method, headers: { ...headers }, body, signal };
  if (json !== undefined) {
    options.body = JSON.stringify(json);
    options.headers["Content-Type"] = "application/json";
  }
  for (let attempt = 0; ; attempt += 1) {
    let response;
    try {
      response = await fetch(path, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(0);
    }
    if (response.ok) return response;
    const error = await errorOf(response);
    if (response.status !== 401 || attempt > 0 || isDenied(error)) throw error;
    await renew();
  }
}

/** Like `request`, for the JSON of the response. */
export async function requestJson(path, options) {
  return (await request(path, options)).json();
}

/**
 * Send a large body with progress: `onProgress(sent, total)` in bytes. Returns `{status, json}`.
 * Throws as `request` does.
 */
export async function upload(path, { method = "POST", body, headers = {}, signal, onProgress } = {}) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await send(path, method, body, headers, signal, onProgress);
    } catch (error) {
      if (error.status !== 401 || attempt > 0 || isDenied(error)) throw error;
      await renew();
    }
  }
}

function send(path, method, body, headers, signal, onProgress) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    const abort = () => sending.abort();
    sending.open(method, path);
    for (const [name, value] of Object.entries(headers)) sending.setRequestHeader(name, value);
    if (onProgress) sending.upload.onprogress = (event) => onProgress(event.loaded, event.total);
    sending.onload = () => {
      let json = {};
      try {
        json = JSON.parse(sending.responseText);
      } catch {
        // an answer that is not ours, such as that of a proxy
      }
      if (sending.status < 400) return resolve({ status: sending.status, json });
      const retryAfter = sending.getResponseHeader("Retry-After");
      return reject(new ApiError(sending.status, json, retryAfter && Number(retryAfter)));
    };
    sending.onerror = () => reject(new ApiError(0));
    sending.onabort = () => reject(new DOMException("aborted", "AbortError"));
    sending.onloadend = () => signal?.removeEventListener("abort", abort);
    if (signal?.aborted) return reject(new DOMException("aborted", "AbortError"));
    signal?.addEventListener("abort", abort);
    return sending.send(body);
  });
}

/**
 * Call `attempt` until it succeeds or fails for good; after a temporary failure it is called again, later and later.
 * `onWait(error)` is called before each pause. Send an `Idempotency-Key` if twice would be wrong.
 */
export async function persistently(attempt, { signal, onWait } = {}) {
  for (let pause = 1; ; pause = Math.min(pause * 2, 15)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ApiError) || !error.isTemporary) throw error;
      onWait?.(error);
      await sleep(Math.max(error.retryAfter ?? 0, pause * (0.75 + Math.random() / 2)), signal);
    }
  }
}

function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("aborted", "AbortError"));
    }, { once: true });
  });
}
