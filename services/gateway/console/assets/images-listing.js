// The entries of a directory, or those that a search has found, loaded page by page.
import { IMAGES, requestJson } from "./api.js";

const PAGE = 200;

/** The last segment of a path. */
export function nameOf(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The directory of a path, "" for the root. */
export function parentOf(path) {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
}

/** A path below `directory`, "" for the root. */
export function joined(directory, name) {
  return directory ? `${directory}/${name}` : name;
}

/** A path as a part of a URL. */
export function inUrl(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** The address of a source at the API. */
export function sourceUrl(path) {
  return `${IMAGES}/sources/${inUrl(path)}`;
}

/** One page of a listing; `tree` is "source" or "target". */
export async function listed(tree, query, options = {}) {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value !== false));
  return requestJson(`${IMAGES}/${tree === "source" ? "sources" : "targets"}?${parameters}`, options);
}

/** All sources below a directory, in pages. */
export async function* sourcesBelow(directory, signal) {
  let cursor = "";
  do {
    const page = await listed("source", { directory, recursive: true, cursor }, { signal });
    yield page.items;
    cursor = page.cursor ?? "";
  } while (cursor);
}

export class Listing {
  /** List `directory` of `tree`, or what `search` finds in and below it. */
  constructor(tree, directory, search) {
    this.tree = tree;
    this.query = search ? { directory, search, limit: PAGE } : { directory, limit: PAGE };
    this.entries = [];
    this.isComplete = false;
    this.cursor = "";
    this.loading = null;
    this.aborting = new AbortController();
  }

  /** Load the next page unless that is under way, or everything is loaded; throws ApiError. */
  load() {
    if (this.isComplete) return null;
    this.loading ??= this.#load().finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  close() {
    this.aborting.abort();
  }

  async #load() {
    const page = await listed(this.tree, { ...this.query, cursor: this.cursor }, { signal: this.aborting.signal });
    const directories = page.directories.map((path) => ({ path, isDirectory: true, order: `${path}/` }));
    const files = page.items.map((item) => ({ ...item, isDirectory: false, order: item.path }));
    const sorted = [...directories, ...files].sort((one, other) => (one.order < other.order ? -1 : 1));
    this.entries.push(...sorted);
    this.cursor = page.cursor ?? "";
    this.isComplete = this.cursor === "";
  }
}
