// The page Formats: examples of the formats that are in effect.

import { IMAGES, request } from "./api.js";
import { showExamples, watchSamples } from "./formats-examples.js";

watchSamples();
const list = document.querySelector(".formats");
if (list?.dataset.path) {
  const path = encodeURIComponent(list.dataset.path);
  showExamples(list, (format) => request(`${IMAGES}/formats/${encodeURIComponent(format)}/example?path=${path}`));
}
