// The mistakes in the head of an example of responses that were not stored.

import { element } from "./elements.js";

/** Return the mistakes of an example, or null if none is known. */
export function findings(example) {
  if (!example?.findings.length) return null;
  return element("div", { class: "note" },
    "Found in ", element("span", { class: "url" }, `${example.method} ${example.url}`), ":",
    element("ul", {}, ...example.findings.map(({ subject, sentence, source }) =>
      element("li", {}, `${subject === "message" ? "" : `${subject}: `}${sentence} (${source})`))));
}
