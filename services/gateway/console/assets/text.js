// The texts of scripts in the language of the page, and its formats of numbers and times.

const messages = JSON.parse(document.getElementById("messages").textContent);

export const language = document.documentElement.lang;

function filled(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_match, name) => String(values[name]));
}

/** The translation of a message, with `%(name)s` replaced by the value of that name. */
export function _(message, values = {}) {
  return filled(messages[message] ?? message, values);
}

/** The form of a message for a count, which is also the value `num`. */
export function ngettext(singular, plural, count, values = {}) {
  const forms = messages[singular] ?? [singular, plural];
  return filled(forms[count === 1 ? 0 : 1], { num: number(count), ...values });
}

export function number(value, digits = 0) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}

/** A share from 0 to 1 as a percentage. */
export function percent(share, digits = 0) {
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: digits }).format(share);
}

/** A number of bytes with a unit of powers of 1,000. */
export function bytes(size) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = size;
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${number(value, unit === 0 || value >= 100 ? 0 : 1)}\u00a0${units[unit]}`;
}

/** A duration in seconds, as "850 ms", "12.4 s", "3 min 20 s" or "2 h 5 min". */
export function duration(seconds) {
  if (seconds < 1) return `${number(Math.round(seconds * 1000))}\u00a0ms`;
  if (seconds < 60) return `${number(seconds, seconds < 10 ? 1 : 0)}\u00a0s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}\u00a0min ${Math.floor(seconds % 60)}\u00a0s`;
  return `${number(Math.floor(minutes / 60))}\u00a0h ${minutes % 60}\u00a0min`;
}

/** A time as text, for the reader's own time zone. */
export function dateTime(time) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(time));
}
