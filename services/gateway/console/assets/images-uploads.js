// Uploads into a directory, a few at a time, each with its progress and its error.
import { persistently, request, upload } from "./api.js";
import { element, icon, notify } from "./console.js";
import { joined, sourceUrl } from "./images-listing.js";
import { _, bytes, ngettext, number } from "./text.js";

const AT_ONCE = 3;
const MAX_SHOWN = 100;

/** The files of a drop, with those in its directories, as `{file, path}`; paths are relative. */
export async function* droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry);
  if (entries.length === 0) {
    for (const file of transfer.files) yield { file, path: file.name };
  }
  for (const entry of entries) yield* filesIn(entry, "");
}

async function* filesIn(entry, directory) {
  const path = joined(directory, entry.name);
  if (entry.isFile) {
    yield { file: await new Promise((resolve, reject) => { entry.file(resolve, reject); }), path };
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const found = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (found.length === 0) return;
    for (const each of found) yield* filesIn(each, path);
  }
}

/** The files that were chosen in an input, as `{file, path}`. */
export function chosenFiles(input) {
  return [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

async function hasSize({ file, path }) {
  const response = await request(sourceUrl(path), { method: "HEAD" });
  return Number(response.headers.get("Content-Length")) === file.size;
}

export class Uploads {
  /** Show uploads in `panel`; `onStored()` is called after each stored image, and `onEnd()` when all have ended. */
  constructor(panel, maxBytes, { onStored, onEnd }) {
    this.panel = panel;
    this.maxBytes = maxBytes;
    this.callbacks = { onStored, onEnd };
    this.waiting = [];
    this.running = 0;
    this.adding = 0;
    this.clear();
    addEventListener("beforeunload", (event) => {
      if (this.running > 0) event.preventDefault();
    });
  }

  clear() {
    this.counts = { total: 0, stored: 0, failed: 0 };
    this.failed = [];
    this.rows = 0;
    this.summary = element("p", { role: "status" });
    this.bar = element("progress", { "aria-label": _("Uploads") });
    this.list = element("ul", { class: "images-upload-list" });
    this.cancelButton = element("button", { type: "button" }, _("Cancel"));
    this.cancelButton.addEventListener("click", () => this.#cancel());
    this.retryButton = element("button", { type: "button", hidden: true }, icon("rotate-ccw"), _("Retry what failed"));
    this.retryButton.addEventListener("click", () => this.#retry());
    this.panel.replaceChildren(
      element("div", { class: "images-upload-head" }, element("h2", {}, _("Uploads")), this.retryButton, this.cancelButton),
      this.summary, this.bar, this.list);
    this.panel.hidden = true;
  }

  /** Upload files, `{file, path}`, to a directory; `files` may be an asynchronous iterable. */
  async add(files, directory) {
    if (this.#isIdle) this.clear();
    this.panel.hidden = false;
    this.adding += 1;
    this.aborting ??= new AbortController();
    const { signal } = this.aborting;
    try {
      for await (const { file, path } of files) {
        if (signal.aborted) break;
        this.counts.total += 1;
        this.waiting.push({ file, path: joined(directory, path), overwrite: false });
        this.#start();
      }
    } finally {
      this.adding -= 1;
      if (this.#isIdle) this.#end();
      this.#show();
    }
  }

  get #isIdle() {
    return this.running === 0 && this.waiting.length === 0 && this.adding === 0;
  }

  #start() {
    while (this.running < AT_ONCE && this.waiting.length > 0) {
      this.running += 1;
      this.#upload(this.waiting.shift()).finally(() => {
        this.running -= 1;
        this.#start();
        this.#show();
        if (this.#isIdle) this.#end();
      });
    }
    this.#show();
  }

  #end() {
    this.aborting = null;
    this.callbacks.onEnd();
    const { stored, failed } = this.counts;
    if (stored > 0 && failed === 0) {
      notify(ngettext("%(num)s image uploaded.", "%(num)s images uploaded.", stored), { kind: "good" });
      this.panel.hidden = true;
    }
  }

  async #upload(task) {
    const row = this.#row(task);
    const signal = this.aborting.signal;
    let wasInterrupted = false;
    const onWait = () => {
      wasInterrupted = true;
      row.state(_("Waiting for the server"));
    };
    try {
      if (task.file.size > this.maxBytes) throw new Error(_("The image has more than %(size)s.", { size: bytes(this.maxBytes) }));
      if (task.file.size === 0) throw new Error(_("The file is empty."));
      const headers = task.overwrite ? {} : { "If-None-Match": "*" };
      await persistently(() => upload(sourceUrl(task.path), {
        method: "PUT", body: task.file, headers, signal, onProgress: (sent, total) => row.progress(sent / total),
      }), { signal, onWait }).catch(async (error) => {
        if (error.status !== 412 || !wasInterrupted || !await hasSize(task)) throw error; // it was stored, only the response was lost
      });
      this.counts.stored += 1;
      row.remove();
      this.callbacks.onStored();
    } catch (error) {
      if (error.name === "AbortError") {
        row.remove();
        return;
      }
      this.counts.failed += 1;
      this.failed.push([task, row]);
      const isTaken = error.status === 412;
      row.fail(isTaken ? _("There is an image of this name.") : error.message, isTaken ? () => this.#again(task, row, true) : null);
    }
  }

  #again(task, row, overwrite) {
    this.failed = this.failed.filter(([failed]) => failed !== task);
    this.counts.failed -= 1;
    row.remove();
    this.aborting ??= new AbortController();
    this.waiting.push({ ...task, overwrite });
    this.#start();
  }

  #retry() {
    for (const [task, row] of [...this.failed]) this.#again(task, row, task.overwrite);
  }

  #cancel() {
    if (this.running === 0) {
      this.panel.hidden = true;
      return;
    }
    this.counts.total -= this.waiting.length;
    this.waiting = [];
    this.aborting.abort();
  }

  #show() {
    const { total, stored, failed } = this.counts;
    const ended = stored + failed;
    this.bar.max = Math.max(total, 1);
    this.bar.value = ended;
    this.bar.hidden = this.running === 0;
    const texts = [_("%(done)s of %(total)s uploaded", { done: number(stored), total: number(total) })];
    if (failed > 0) texts.push(ngettext("%(num)s failed", "%(num)s failed", failed));
    this.summary.textContent = texts.join(" · ");
    this.retryButton.hidden = failed === 0 || this.running > 0;
    this.cancelButton.textContent = this.running > 0 ? _("Cancel") : _("Close");
  }

  #row(task) {
    const state = element("small", {});
    const bar = element("progress", { max: 1, value: 0, "aria-label": task.path });
    const item = element("li", {}, element("span", { class: "name" }, task.path), element("small", { class: "number" }, bytes(task.file.size)), bar, state);
    const isShown = this.rows < MAX_SHOWN;
    if (isShown) {
      this.rows += 1;
      this.list.append(item);
    }
    return {
      progress: (share) => {
        bar.value = share;
        state.textContent = "";
      },
      state: (text) => {
        state.textContent = text;
      },
      fail: (text, replace) => {
        bar.remove();
        state.className = "problem";
        state.textContent = text;
        if (!replace) return;
        const button = element("button", { type: "button" }, _("Replace"));
        button.addEventListener("click", replace);
        item.append(button);
      },
      remove: () => {
        if (isShown && item.isConnected) this.rows -= 1;
        item.remove();
      },
    };
  }
}
