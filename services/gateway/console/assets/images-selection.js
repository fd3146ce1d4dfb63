// What is selected in a list: by its keys, so that it survives a refresh.
export class Selection {
  /** `onChange()` is called after each change. */
  constructor(onChange) {
    this.keys = new Map();
    this.anchor = 0;
    this.active = 0;
    this.onChange = onChange;
  }

  get size() {
    return this.keys.size;
  }

  get entries() {
    return [...this.keys.values()];
  }

  has(entry) {
    return this.keys.has(entry.path);
  }

  clear() {
    this.keys.clear();
    this.onChange();
  }

  /** Select only the entry with an index. */
  only(entries, index) {
    this.keys.clear();
    this.keys.set(entries[index].path, entries[index]);
    this.anchor = index;
    this.active = index;
    this.onChange();
  }

  toggle(entries, index) {
    const entry = entries[index];
    if (!this.keys.delete(entry.path)) this.keys.set(entry.path, entry);
    this.anchor = index;
    this.active = index;
    this.onChange();
  }

  /** Select everything from the anchor to an index. */
  extend(entries, index) {
    this.keys.clear();
    const [first, last] = [Math.min(this.anchor, index), Math.max(this.anchor, index)];
    for (const entry of entries.slice(first, last + 1)) this.keys.set(entry.path, entry);
    this.active = index;
    this.onChange();
  }

  all(entries) {
    for (const entry of entries) this.keys.set(entry.path, entry);
    this.onChange();
  }

  /** Keep what `entries` still have, with what they say of it now. */
  retain(entries) {
    const found = new Map(entries.filter((entry) => this.keys.has(entry.path)).map((entry) => [entry.path, entry]));
    this.keys = found;
    this.active = Math.min(this.active, Math.max(0, entries.length - 1));
    this.anchor = this.active;
    this.onChange();
  }
}
