// What can be done with sources and their directories, by the public API.
import { ApiError, IMAGES, persistently, request, requestJson } from "./api.js";
import { ask, notify } from "./console.js";
import { askDirectory, askFormats, askName, showProgress } from "./images-dialogs.js";
import { joined, nameOf, parentOf, sourceUrl, sourcesBelow } from "./images-listing.js";
import { _, ngettext } from "./text.js";

const AT_ONCE = 4;
const FEW = 3;
const LONG_MS = 600;
const MAX_RESTORED = 1000;

/** Call `work` for each item of an iterable, a few at a time; returns the errors. */
export async function forEach(items, work, signal) {
  const errors = [];
  const iterator = items[Symbol.asyncIterator]?.() ?? items[Symbol.iterator]();
  let ended = false;
  const workOff = async () => {
    while (!ended && !signal?.aborted) {
      const { value, done } = await iterator.next();
      if (done) {
        ended = true;
        return;
      }
      try {
        await work(value);
      } catch (error) {
        if (error.name === "AbortError") return;
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, workOff));
  return errors;
}

function known(entry) {
  return entry.etag ? { "If-Match": `"${entry.etag}"` } : {};
}

function pair(operation, entry, to, { overwrite = false, signal } = {}) {
  const json = { from: entry.path, to, overwrite };
  return request(`${IMAGES}/sources/${operation}`, { method: "POST", json, headers: known(entry), signal });
}

/** Say what went wrong; what another user has changed has words of its own. */
export function reportErrors(errors) {
  if (errors.length === 0) return;
  const changed = errors.filter((error) => error.status === 412 || error.status === 404).length;
  const [first] = errors;
  const text = changed
    ? ngettext("%(num)s image was changed or deleted by another user. The list shows it as it is now.",
      "%(num)s images were changed or deleted by another user. The list shows them as they are now.", changed)
    : first.message;
  const rest = errors.length - Math.max(changed, 1);
  notify(rest > 0 ? `${text} ${ngettext("%(num)s more failed.", "%(num)s more failed.", rest)}` : text, { kind: "bad" });
}

/** Call `work(signal, step)`, with a dialog that shows how many of `count` steps are done if it takes a while. */
async function withProgress(title, count, work) {
  const aborting = new AbortController();
  let dialog = null;
  let done = 0;
  const show = () => dialog?.set(done, Number.isFinite(count) ? count : null);
  const timer = setTimeout(() => {
    dialog = showProgress(title, aborting);
    show();
  }, LONG_MS);
  const step = () => {
    done += 1;
    show();
  };
  try {
    return await work(aborting.signal, step);
  } finally {
    clearTimeout(timer);
    dialog?.close();
  }
}

async function* below(directory, signal) {
  for await (const page of sourcesBelow(directory, signal)) yield* page;
}

function directories(method, path, query = "") {
  const json = { path: parentOf(path), name: nameOf(path) };
  return requestJson(`${IMAGES}/directories/source?tree=false${query}`, { method, json });
}

/** Move or copy the sources of a directory to another one, one by one, so that it can be interrupted. */
async function transferDirectory(operation, path, target) {
  await directories("POST", target);
  const errors = await withProgress(operation === "move" ? _("Moving") : _("Copying"), Infinity, (signal, step) =>
    forEach(below(path, signal), async (source) => {
      await pair(operation, source, target + source.path.slice(path.length), { signal });
      step();
    }, signal).then((found) => (signal.aborted ? [...found, null] : found)));
  if (errors.length === 0 && operation === "move") await directories("DELETE", path, "&permanently=true");
  return errors.filter((error) => error !== null);
}

/** Move or copy entries into a directory, or to `path` if that is given; returns whether anything was done. */
async function transfer(operation, entries, directory, path = null) {
  const targets = entries.map((entry) => [entry, path ?? joined(directory, nameOf(entry.path))]);
  const inItself = targets.find(([entry, to]) => entry.isDirectory && `${to}/`.startsWith(`${entry.path}/`));
  if (inItself) {
    notify(_("A directory cannot be put into itself."), { kind: "bad" });
    return false;
  }
  const files = targets.filter(([entry]) => !entry.isDirectory);
  const taken = [];
  const errors = await withProgress(operation === "move" ? _("Moving") : _("Copying"), files.length, (signal, step) =>
    forEach(files, async ([entry, to]) => {
      try {
        await pair(operation, entry, to, { signal });
      } catch (error) {
        if (error.status !== 400 || error.field !== "to") throw error;
        taken.push([entry, to, error]);
      }
      step();
    }, signal));
  errors.push(...await replaced(operation, taken));
  for (const [entry, to] of targets) {
    if (entry.isDirectory) errors.push(...await transferDirectory(operation, entry.path, to).catch((error) => [error]));
  }
  reportErrors(errors);
  const done = entries.length - errors.length;
  if (done > 0) {
    notify(operation === "move" ? ngettext("%(num)s moved.", "%(num)s moved.", done) : ngettext("%(num)s copied.", "%(num)s copied.", done), { kind: "good" });
  }
  return true;
}

async function replaced(operation, taken) {
  if (taken.length === 0) return [];
  const title = ngettext("%(num)s name is taken", "%(num)s names are taken", taken.length);
  const details = taken.slice(0, FEW).map(([, to]) => to).join("\n");
  if (!await ask(title, { details, confirm: _("Replace"), isDangerous: true })) return [];
  return forEach(taken, ([entry, to]) => pair(operation, entry, to, { overwrite: true }));
}

export async function newDirectory(directory) {
  const name = await askName(_("New directory"), _("Name"), _("Create"));
  if (name === null) return null;
  const path = joined(directory, name);
  await directories("POST", path);
  return path;
}

export async function rename(entry) {
  const name = await askName(_("Rename"), _("New name"), _("Rename"), nameOf(entry.path));
  if (name === null || name === nameOf(entry.path)) return null;
  const path = joined(parentOf(entry.path), name);
  return (await transfer("move", [entry], "", path)) ? path : null;
}

export async function move(entries) {
  const directory = await askDirectory(_("Move to"), _("Move"), parentOf(entries[0].path));
  return directory !== null && transfer("move", entries, directory);
}

export async function copyTo(entries) {
  const directory = await askDirectory(_("Copy to"), _("Copy"), parentOf(entries[0].path));
  return directory !== null && transfer("copy", entries, directory);
}

/** Delete entries, and offer to restore them; `onRestored()` is called when that is done. */
export async function deleteEntries(entries, onRestored) {
  const items = [];
  const count = entries.some((entry) => entry.isDirectory) ? Infinity : entries.length;
  const errors = await withProgress(_("Deleting"), count, (signal, step) =>
    forEach(entries, async (entry) => {
      const answer = entry.isDirectory
        ? await directories("DELETE", entry.path)
        : await requestJson(sourceUrl(entry.path), { method: "DELETE", headers: known(entry), signal });
      if (answer.trash) items.push(answer.trash);
      step();
    }, signal));
  reportErrors(errors);
  if (items.length > 0) {
    const run = () => restore(items).then(onRestored, (error) => reportErrors([error]));
    notify(ngettext("%(num)s moved to the trash.", "%(num)s moved to the trash.", items.length), { kind: "good", action: { name: _("Undo"), run } });
  }
}

/** Restore items of the trash; returns those that are still in it. */
export async function restore(items) {
  let restored = 0;
  const refused = [];
  for (let start = 0; start < items.length; start += MAX_RESTORED) {
    const json = { items: items.slice(start, start + MAX_RESTORED) };
    const answer = await persistently(() => requestJson(`${IMAGES}/trash/sources/restore`, { method: "POST", json }));
    restored += answer.restored;
    refused.push(...answer.refused);
  }
  if (refused.length > 0) notify(`${nameOf(refused[0].item)}: ${new ApiError(400, { reason: refused[0].reason }).message}`, { kind: "bad" });
  if (restored > 0 || refused.length === 0) notify(ngettext("%(num)s restored.", "%(num)s restored.", restored), { kind: "good" });
  return refused.map((each) => each.item);
}

/** Start a run over entries; returns whether it was started. */
export async function convert(entries, formats) {
  const formatList = await askFormats(ngettext("Convert %(num)s selected", "Convert %(num)s selected", entries.length), formats);
  if (formatList === null) return false;
  const json = { action: "console", source: "selection", selection: entries.map((entry) => entry.path), formatList };
  await requestJson(`${IMAGES}/convert/start`, { method: "POST", json, headers: { "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()) } });
  return true;
}
