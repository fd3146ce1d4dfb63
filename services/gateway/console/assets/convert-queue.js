// The images of the page, and what happens to them: a few at a time are checked, sent and converted.

import { ApiError, IMAGES, persistently, upload } from "./api.js";
import { acceptableName, problemOf } from "./convert-check.js";
import { _ } from "./text.js";

const AT_ONCE = 4;
const MAX_BUSY_ANSWERS = 20;
export const RUNNING = ["checking", "sending", "converting", "offline"];

/** A unique text, also on pages without a secure context, where there is no `randomUUID`. */
function uniqueKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, "0")).join("");
}

/** One image: its file, where it is on its way, and its outputs. */
export class Image {
  constructor(file, path, name) {
    this.file = file;
    this.path = path;
    this.name = name;
    /** "waiting", one of RUNNING, "done", "failed" (may be tried again), "refused" or "canceled". */
    this.state = "waiting";
    this.sent = 0;
    this.problem = "";
    this.outputs = new Map();
    this.seconds = 0;
    this.isShowable = true;
    this.requests = new Map();
    this.cancellation = null;
  }

  get isRunning() {
    return RUNNING.includes(this.state);
  }

  get isEnded() {
    return !this.isRunning && this.state !== "waiting";
  }

  /** The outputs that exist. */
  get made() {
    return [...this.outputs.values()].filter((each) => each.bytes > 0);
  }

  /** The path of the uploaded source on the server; "" before. */
  get source() {
    return this.outputs.values().next().value?.source ?? "";
  }
}

/** The images in the order in which they came. `onChange(image)` is called for each change, `onChange(null)` for many. */
export class Queue {
  constructor(options, chosenFormats, onChange) {
    this.images = [];
    this.isPaused = false;
    this.maxBytes = options.maxBytes;
    this.options = options;
    this.chosenFormats = chosenFormats;
    this.onChange = onChange;
    this.next = 0;
    this.running = 0;
    this.known = new Map();
    this.stems = new Set();
  }

  /** Add a file. The same file again is converted again; another one of the same name gets another name. */
  add(file, path) {
    const identity = `${path}\0${file?.size}\0${file?.lastModified}`;
    const known = this.known.get(identity);
    if (known !== undefined) {
      if (known.isEnded) this.retry([known]);
      return known;
    }
    const image = new Image(file, path, this.#freeName(acceptableName(path.split("/").pop())));
    this.known.set(identity, image);
    this.images.push(image);
    if (file === null) {
      image.state = "refused";
      image.problem = _("The browser cannot read this file.");
    }
    return image;
  }

  /** The name itself, or one with a number: outputs have no directory, and may get another extension. */
  #freeName(name) {
    const [stem, extension] = stemOf(name);
    let free = stem;
    for (let number = 2; this.stems.has(free.toLowerCase()); number += 1) free = `${stem}-${number}`;
    this.stems.add(free.toLowerCase());
    return free + extension;
  }

  /** Start as many as may run at once. */
  start() {
    while (!this.isPaused && this.running < AT_ONCE) {
      const image = this.#nextWaiting();
      if (image === undefined) return;
      this.running += 1;
      this.#convert(image).finally(() => {
        this.running -= 1;
        this.start();
      });
    }
  }

  #nextWaiting() {
    while (this.next < this.images.length) {
      const image = this.images[this.next];
      this.next += 1;
      if (image.state === "waiting") return image;
    }
    return undefined;
  }

  pause(isPaused) {
    this.isPaused = isPaused;
    this.start();
    this.onChange(null);
  }

  /** Convert *images* again: those that failed, or that lack chosen formats. */
  retry(images) {
    for (const image of images) {
      image.state = "waiting";
      image.problem = "";
    }
    this.next = 0;
    this.start();
    this.onChange(null);
  }

  /** Cancel *images* that wait or run. */
  cancel(images) {
    for (const image of images) {
      if (image.isEnded) continue;
      image.state = "canceled";
      image.cancellation?.abort();
    }
    this.onChange(null);
  }

  /** Forget *images*; what was made of them stays on the server. */
  remove(images) {
    const gone = new Set(images);
    this.cancel(images);
    this.images = this.images.filter((image) => !gone.has(image));
    for (const image of gone) this.stems.delete(stemOf(image.name)[0].toLowerCase());
    for (const [identity, image] of this.known) {
      if (gone.has(image)) this.known.delete(identity);
    }
    this.next = 0;
    this.onChange(null);
  }

  #set(image, state, values = {}) {
    if (image.state === "canceled") return;
    Object.assign(image, { state, ...values });
    this.onChange(image);
  }

  async #convert(image) {
    const formats = this.chosenFormats();
    const missing = formats.filter((each) => !image.outputs.get(each.id)?.bytes);
    const wanted = missing.length > 0 ? missing : formats;
    image.cancellation = new AbortController();
    const began = performance.now();
    try {
      if (wanted.length === 0) throw new Error(_("No format is chosen."));
      this.#set(image, "checking");
      const problem = await problemOf(image.file, this.maxBytes);
      if (problem !== "") {
        this.#set(image, "refused", { problem });
        return;
      }
      const results = await this.#send(image, wanted);
      for (const each of results) image.outputs.set(each.formatId, each);
      this.#set(image, "done", { seconds: (performance.now() - began) / 1000 });
    } catch (error) {
      if (error.name === "AbortError") this.#set(image, "canceled");
      else this.#set(image, "failed", { problem: reasonOf(error) });
    }
  }

  async #send(image, formats) {
    const ids = formats.map((each) => each.id).join(",");
    if (!image.requests.has(ids)) image.requests.set(ids, uniqueKey());
    const query = new URLSearchParams({ fileName: image.name, formats: ids, details: "true" });
    if (this.options.subshop) query.set("subshopId", this.options.subshop);
    const { signal } = image.cancellation;
    let busy = 0;
    const attempt = async () => {
      await image.file.slice(0, 1).arrayBuffer(); // fails if the file was changed or deleted
      this.#set(image, "sending", { sent: 0, problem: "" });
      return upload(`${IMAGES}/upload/convert?${query}`, {
        body: image.file,
        headers: { "Content-Type": "application/octet-stream", "Idempotency-Key": image.requests.get(ids) },
        signal,
        onProgress: (sent, total) => this.#set(image, sent < total ? "sending" : "converting", { sent: sent / total }),
      });
    };
    const onWait = (error) => {
      if (error.status !== 0) busy += 1;
      if (busy > MAX_BUSY_ANSWERS) throw new Error(error.message);
      this.#set(image, "offline", { problem: error.message });
    };
    const { json } = await persistently(attempt, { signal, onWait });
    // What was sent has been carried out; to convert the image once more is another request.
    image.requests.delete(ids);
    const { hiddenPrefix } = this.options;
    return json.items.map((each) => ({ ...each, publicPath: each.output.startsWith(hiddenPrefix) ? each.output.slice(hiddenPrefix.length) : each.output }));
  }
}

function stemOf(name) {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
}

function reasonOf(error) {
  if (error instanceof DOMException) return _("The browser cannot read this file any more. Was it changed or moved?");
  if (error instanceof ApiError && error.code === "internalError") return _("No image could be made of it: %(reason)s", { reason: error.reason });
  return error.message;
}
