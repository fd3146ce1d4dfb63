// A grid or list of very many entries, of which only those in sight are in the document.
import { element } from "./console.js";

const KINDS = {
  grid: { width: 172, height: 200 },
  list: { width: Infinity, height: 56 },
};
// Browsers cut off elements that are much higher; above it, one pixel of the scroll bar stands for several.
const MAX_HEIGHT = 8_000_000;
const ROWS_AROUND = 2;
const SETTLED_MS = 120;

export class EntriesView {
  /**
   * Show `entries` in the scrolling element `box`: `render(node, entry, index)` fills the node of an entry,
   * `show(node, entry)` is called when scrolling has stopped at it, `onEnd()` when the last entries are near.
   */
  constructor(box, { render, show, onEnd }) {
    this.box = box;
    this.callbacks = { render, show, onEnd };
    this.entries = [];
    this.kind = "grid";
    this.nodes = new Map();
    this.canvas = element("div", { class: "images-canvas", role: "presentation" });
    box.append(this.canvas);
    box.addEventListener("scroll", () => this.#drawSoon(), { passive: true });
    new ResizeObserver(() => this.layout()).observe(box);
  }

  /** Set `grid` or `list`. */
  setKind(kind) {
    this.kind = kind;
    this.box.dataset.kind = kind;
    this.redraw();
  }

  /** Replace all entries, or continue them if `entries` begins with those that are shown. */
  setEntries(entries, { keepNodes = false } = {}) {
    this.entries = entries;
    if (keepNodes) this.layout();
    else this.redraw();
  }

  /** Make all nodes again. */
  redraw() {
    for (const node of this.nodes.values()) node.remove();
    this.nodes.clear();
    this.layout();
  }

  /** Fill the nodes again that are there. */
  refresh() {
    for (const [index, node] of this.nodes) this.callbacks.render(node, this.entries[index], index);
  }

  get columns() {
    return this.kind === "list" ? 1 : Math.max(2, Math.floor(this.box.clientWidth / KINDS.grid.width));
  }

  get rowsInSight() {
    return Math.max(1, Math.floor(this.box.clientHeight / KINDS[this.kind].height));
  }

  layout() {
    const { height } = KINDS[this.kind];
    this.total = Math.ceil(this.entries.length / this.columns) * height;
    this.height = Math.min(this.total, MAX_HEIGHT);
    this.canvas.style.height = `${this.height}px`;
    this.#draw();
  }

  /** Scroll as little as needed to bring an entry into sight. */
  reveal(index) {
    const { height } = KINDS[this.kind];
    const top = Math.floor(index / this.columns) * height;
    const view = this.box.clientHeight;
    const shown = this.#realTop();
    if (top < shown) this.#scrollToReal(top);
    else if (top + height > shown + view) this.#scrollToReal(top + height - view);
    this.#draw();
  }

  #realTop() {
    const hidden = this.height - this.box.clientHeight;
    if (this.total === this.height || hidden <= 0) return this.box.scrollTop;
    if (this.revealed?.scrollTop === this.box.scrollTop) return this.revealed.top; // a pixel is too coarse
    return (this.box.scrollTop / hidden) * (this.total - this.box.clientHeight);
  }

  #scrollToReal(top) {
    const hidden = this.height - this.box.clientHeight;
    this.box.scrollTop = this.total === this.height ? top : (top / (this.total - this.box.clientHeight)) * hidden;
    this.revealed = { top, scrollTop: this.box.scrollTop };
  }

  #drawSoon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#draw();
    });
  }

  #draw() {
    const { height } = KINDS[this.kind];
    const columns = this.columns;
    const width = this.box.clientWidth / columns;
    const top = this.#realTop();
    const first = Math.max(0, (Math.floor(top / height) - ROWS_AROUND) * columns);
    const last = Math.min(this.entries.length, (Math.ceil((top + this.box.clientHeight) / height) + ROWS_AROUND) * columns);
    for (const [index, node] of this.nodes) {
      if (index >= first && index < last) continue;
      node.remove();
      this.nodes.delete(index);
    }
    for (let index = first; index < last; index += 1) {
      let node = this.nodes.get(index);
      if (node === undefined) {
        node = element("div", { class: "images-entry", role: "option", id: `entry-${index}` });
        this.callbacks.render(node, this.entries[index], index);
        this.nodes.set(index, node);
        this.canvas.append(node);
      }
      const y = Math.floor(index / columns) * height - top + this.box.scrollTop;
      node.style.width = `${width}px`;
      node.style.height = `${height}px`;
      node.style.transform = `translate(${(index % columns) * width}px, ${y}px)`;
    }
    clearTimeout(this.settled);
    this.settled = setTimeout(() => {
      for (const [index, node] of this.nodes) this.callbacks.show(node, this.entries[index]);
    }, SETTLED_MS);
    if (last >= this.entries.length - columns * this.rowsInSight) this.callbacks.onEnd();
  }
}
