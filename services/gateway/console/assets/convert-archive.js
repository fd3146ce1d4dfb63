// The download of many outputs as zip archives, which the browser writes to its disk while they arrive.

import { IMAGES, requestJson } from "./api.js";
import { element, notify } from "./console.js";

const MAX_IMAGES = 50000;
const MAX_BYTES = 7 * 1024 * 1024;

/** Parts of *paths* that one request can have. */
function parts(paths) {
  const found = [[]];
  let length = 0;
  for (const path of paths) {
    length += path.length * 3 + 2;
    if (found.at(-1).length >= MAX_IMAGES || length > MAX_BYTES) {
      found.push([]);
      length = 0;
    }
    found.at(-1).push(path);
  }
  return found;
}

/** Download the outputs at *paths*. */
export async function downloadAll(paths) {
  try {
    await requestJson(`${IMAGES}/formats`); // renews the login, which a form cannot
  } catch (error) {
    notify(error.message, { kind: "bad" });
    return;
  }
  for (const part of parts([...new Set(paths)])) {
    // In a window of its own, which a download closes at once; an error does not replace this page.
    const form = element("form", { method: "post", action: `${IMAGES}/archive`, enctype: "multipart/form-data", target: "_blank", rel: "opener", hidden: true });
    const field = element("textarea", { name: "paths" });
    field.value = part.join("\n");
    form.append(field);
    document.body.append(form);
    form.submit();
    form.remove();
  }
}
