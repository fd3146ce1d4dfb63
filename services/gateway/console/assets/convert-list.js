// The list of the images: overall progress, what can be done with all of them, filters and pages.

import { element, icon } from "./console.js";
import { filesIn } from "./convert-intake.js";
import { isOfSystem } from "./convert-check.js";
import { Card } from "./convert-card.js";
import { Queue } from "./convert-queue.js";
import { _, bytes, duration, ngettext, number, percent } from "./text.js";

const ON_PAGE = 24;
const INTAKE = 200;
const DRAW_MILLISECONDS = 60;
const SPOKEN_SECONDS = 5;
const FILTERS = {
  all: { name: () => _("All"), has: () => true },
  open: { name: () => _("In progress"), has: (image) => !image.isEnded },
  done: { name: () => _("Done"), has: (image) => image.state === "done" },
  failed: { name: () => _("Not converted"), has: (image) => ["failed", "refused", "canceled"].includes(image.state) },
};

function button(text, run, { name = null, primary = false } = {}) {
  const created = element("button", { type: "button", class: primary ? "primary" : null }, name && icon(name), element("span", {}, text));
  created.addEventListener("click", run);
  return created;
}

/** The section below the formats. */
export class FileList {
  constructor(options, chosenFormats) {
    this.options = options;
    this.queue = new Queue(options, chosenFormats, (image) => this.#changed(image));
    this.filter = "all";
    this.page = 0;
    this.cards = new Map();
    this.began = 0;
    this.endedBefore = 0;
    this.spokenAt = 0;
    this.isDue = false;
    this.timer = null;
    this.#build(document.getElementById("files"));
    addEventListener("beforeunload", (event) => {
      if (this.queue.images.some((image) => !image.isEnded)) event.preventDefault();
    });
  }

  #build(section) {
    this.title = element("p", { class: "files-title" });
    this.facts = element("p", { class: "quiet files-facts" });
    this.bar = element("progress", { max: 1, "aria-label": _("All images") });
    this.pauseButton = button(_("Pause"), () => this.queue.pause(!this.queue.isPaused));
    this.cancelButton = button(_("Cancel"), () => this.queue.cancel(this.queue.images), { name: "circle-stop" });
    this.retryButton = button("", () => this.#retryFailed(), { name: "rotate-ccw" });
    this.addFormatsButton = button("", () => this.queue.retry(this.#lacking()), { name: "plus" });
    this.archiveButton = button("", () => this.#download(), { name: "download", primary: true });
    this.clearButton = button(_("Clear list"), () => this.#clear(), { name: "eraser" });
    this.filters = element("div", { class: "buttons", role: "group", "aria-label": _("Show") });
    this.rows = element("ul", { class: "rows" });
    this.pager = element("nav", { class: "pages", "aria-label": _("Pages of the list") });
    section.append(
      element("div", { class: "card files-head" },
        element("div", { class: "files-line" },
          element("div", {}, this.title, this.facts),
          element("div", { class: "actions" }, this.pauseButton, this.cancelButton, this.retryButton, this.addFormatsButton, this.archiveButton, this.clearButton)),
        this.bar),
      this.filters, this.rows, this.pager);
    section.hidden = false;
  }

  /** Add files and folders; the first ones are sent while the others are still being found. */
  async add(items) {
    let count = 0;
    let first = null;
    for await (const { file, path } of filesIn(items)) {
      if (isOfSystem(path)) continue;
      first ??= this.queue.add(file, path);
      if (count > 0) this.queue.add(file, path);
      count += 1;
      if (count % INTAKE === 0) {
        this.#begin();
        await new Promise((resolve) => { setTimeout(resolve); });
      }
    }
    if (first === null) return;
    this.filter = "all";
    this.page = Math.floor(Math.max(0, this.queue.images.indexOf(first)) / ON_PAGE);
    this.#begin();
  }

  #begin() {
    if (this.queue.running === 0) {
      this.began = performance.now();
      this.endedBefore = this.queue.images.filter((image) => image.isEnded).length;
    }
    this.queue.start();
    this.#changed(null);
  }

  /** Show what the newly chosen formats would add. */
  formatsChanged() {
    this.#changed(null);
  }

  #failed() {
    return this.queue.images.filter((image) => ["failed", "canceled"].includes(image.state));
  }

  #lacking() {
    const chosen = this.queue.chosenFormats();
    return this.queue.images.filter((image) => image.state === "done" && chosen.some((each) => !image.outputs.has(each.id)));
  }

  #retryFailed() {
    this.queue.retry(this.#failed());
  }

  #clear() {
    this.queue.remove(this.queue.images);
    document.querySelector(".drop").classList.remove("compact");
    document.querySelector("[data-choose=files]").focus();
  }

  async #download() {
    const { downloadAll } = await import("./convert-archive.js");
    await downloadAll(this.queue.images.flatMap((image) => image.made.map((each) => each.output)));
  }

  /** Draw what has changed, soon; an image that is not on the page costs nothing. */
  #changed(image) {
    if (image === null) this.isDue = true;
    else this.cards.get(image)?.markChanged();
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.#draw();
    }, DRAW_MILLISECONDS);
  }

  #draw() {
    const counts = this.#counts();
    this.#drawHead(counts);
    this.#drawFilters(counts);
    this.#drawRows(counts);
    for (const card of this.cards.values()) card.draw();
    this.#speak(counts);
  }

  #counts() {
    const counts = { all: 0, open: 0, done: 0, failed: 0, retryable: 0, sent: 0, before: 0, after: 0, outputs: 0 };
    for (const image of this.queue.images) {
      counts.all += 1;
      if (!image.isEnded) counts.open += 1;
      else if (image.state === "done") counts.done += 1;
      else counts.failed += 1;
      if (image.state === "failed" || image.state === "canceled") counts.retryable += 1;
      if (image.isRunning) counts.sent += image.sent * 0.7;
      const { made } = image;
      counts.outputs += made.length;
      if (made.length > 0) counts.before += image.file.size;
      for (const each of made) counts.after += each.bytes;
    }
    return counts;
  }

  #drawHead(counts) {
    const { title, facts } = this.#texts(counts);
    document.getElementById("files").hidden = counts.all === 0;
    this.title.textContent = title;
    this.facts.textContent = facts;
    this.bar.hidden = counts.open === 0;
    this.bar.value = counts.all > 0 ? (counts.all - counts.open + counts.sent) / counts.all : 0;
    this.pauseButton.hidden = counts.open === 0;
    this.pauseButton.textContent = this.queue.isPaused ? _("Continue") : _("Pause");
    this.cancelButton.hidden = counts.open === 0;
    this.retryButton.hidden = counts.retryable === 0;
    this.retryButton.lastChild.textContent = ngettext("Try %(num)s again", "Try %(num)s again", counts.retryable);
    const lacking = this.#lacking().length;
    this.addFormatsButton.hidden = lacking === 0 || counts.open > 0;
    this.addFormatsButton.lastChild.textContent = _("Make the added formats");
    this.archiveButton.hidden = counts.outputs === 0 || !this.options.mayRead;
    this.archiveButton.lastChild.textContent = ngettext("Download %(num)s image", "Download all %(num)s as ZIP", counts.outputs);
    this.clearButton.hidden = counts.open > 0;
    document.title = counts.open > 0 ? document.title.replace(/^(\(.*?\) )?/, `(${percent(this.bar.value)}) `) : document.title.replace(/^\(.*?\) /, "");
  }

  #texts(counts) {
    const ended = counts.all - counts.open;
    const title = counts.open > 0
      ? _("%(done)s of %(all)s images done", { done: number(ended), all: number(counts.all) })
      : ngettext("%(num)s image done", "%(num)s images done", counts.done);
    const facts = [];
    if (counts.failed > 0) facts.push(ngettext("%(num)s not converted", "%(num)s not converted", counts.failed));
    if (counts.outputs > 0) facts.push(_("%(count)s files, %(size)s (originals: %(before)s)", { count: number(counts.outputs), size: bytes(counts.after), before: bytes(counts.before) }));
    const left = this.#secondsLeft(counts);
    if (this.queue.isPaused && counts.open > 0) facts.push(_("paused"));
    else if (left > 0) facts.push(_("%(time)s left", { time: duration(left) }));
    return { title, facts: facts.join(" · ") };
  }

  #secondsLeft(counts) {
    const elapsed = (performance.now() - this.began) / 1000;
    const ended = counts.all - counts.open - this.endedBefore;
    return counts.open > 4 && ended > 0 && elapsed > 2 ? Math.ceil((counts.open * elapsed) / ended) : 0;
  }

  #drawFilters(counts) {
    this.filters.hidden = counts.all < 2;
    if (this.filters.childElementCount === 0) {
      for (const name of Object.keys(FILTERS)) {
        const choice = element("button", { type: "button", "data-filter": name });
        choice.addEventListener("click", () => {
          this.filter = name;
          this.page = 0;
          this.#changed(null);
        });
        this.filters.append(choice);
      }
    }
    for (const choice of this.filters.children) {
      const { filter } = choice.dataset;
      choice.textContent = `${FILTERS[filter].name()} ${number(counts[filter])}`;
      choice.setAttribute("aria-pressed", String(filter === this.filter));
    }
  }

  #drawRows(counts) {
    // While images end one after the other, a filtered page stays as it is until it is looked at anew.
    if (!this.isDue && this.filter !== "open") return;
    this.isDue = false;
    const { has } = FILTERS[this.filter];
    const shown = this.filter === "all" ? this.queue.images : this.queue.images.filter(has);
    this.page = Math.max(0, Math.min(this.page, Math.ceil(shown.length / ON_PAGE) - 1));
    const images = shown.slice(this.page * ON_PAGE, (this.page + 1) * ON_PAGE);
    const onPage = new Set(images);
    for (const [image, card] of this.cards) {
      if (!onPage.has(image)) {
        card.remove();
        this.cards.delete(image);
      }
    }
    images.forEach((image, index) => {
      if (!this.cards.has(image)) this.cards.set(image, new Card(image, this.queue, this.options));
      const { row } = this.cards.get(image);
      if (this.rows.children[index] !== row) this.rows.insertBefore(row, this.rows.children[index] ?? null);
      this.cards.get(image).markChanged();
    });
    this.#drawPager(shown.length, counts);
  }

  #drawPager(total) {
    this.pager.hidden = total <= ON_PAGE;
    const first = this.page * ON_PAGE + 1;
    const last = Math.min(total, first + ON_PAGE - 1);
    const turn = (pages, text, name) => {
      const created = button(text, () => {
        this.page += pages;
        this.#changed(null);
        document.getElementById("files").scrollIntoView();
      }, { name });
      created.disabled = pages < 0 ? this.page === 0 : last >= total;
      return created;
    };
    this.pager.replaceChildren(
      turn(-1, _("Previous"), "chevron-left"),
      element("span", {}, _("%(first)s to %(last)s of %(total)s", { first: number(first), last: number(last), total: number(total) })),
      turn(1, _("Next"), "chevron-right"));
  }

  /** Tell screen readers how far it is: every few seconds, and at the end. */
  #speak(counts) {
    const now = performance.now();
    if (counts.all === 0 || (counts.open > 0 && now - this.spokenAt < SPOKEN_SECONDS * 1000)) return;
    this.spokenAt = now;
    const { title, facts } = this.#texts(counts);
    const status = document.getElementById("progress-status");
    const text = `${title}. ${facts}`;
    if (status.textContent !== text) status.textContent = text;
  }
}
