// The life of a stored response as a picture: how long it is used for what, one part after the other.

import { drawn, element } from "./elements.js";
import { clock, time } from "./units.js";

const WIDTH = 600, HEIGHT = 36;

const MEANINGS = {
  "fresh": "fresh: it is sent",
  "while-revalidated": "stale: it is sent while it is validated",
  "if-error": "stale: it is sent if the origin fails",
  "if-unreachable": "stale: it is sent if the origin cannot be reached",
  "without-origin": "it is sent without the origin",
};

/** Return the picture of a copy, with its texts. */
export function timeLine({ time_line: line, state }) {
  const { now, made_at: made, stored_at: stored, segments, validate } = line;
  const parts = segments.map((each) => ({ ...each, words: sentence(each) }));
  if (parts.at(-1)?.end !== null) parts.push({ use: "beyond", end: null, words: beyond(validate) });
  const left = segments[0]?.use === "fresh" ? segments[0].end - now : 0;
  const words = state === "fresh" ? `fresh for another ${time(Math.max(0, left))}` : state;
  const present = `now: age ${time(Math.max(0, now - made))}, ${words}; stored ${clock(stored)}`;
  return element("figure", {},
    picture(parts, now, [present, ...parts.map((each) => each.words)].join(". ")),
    element("ul", { class: "legend life-parts" },
      element("li", {}, element("i", { class: "now" }), present),
      ...parts.map(({ use, words: text }) => element("li", {}, element("i", { class: use }), text))),
    parts.length > 1 ? element("figcaption", { class: "note" }, "Each part has the same width, however long it is.") : null);
}

function picture(parts, now, label) {
  const width = WIDTH / parts.length;
  const bars = parts.map(({ use }, place) => drawn("rect", { class: use, x: place * width + 1, y: 8, width: width - 2, height: 20 }));
  const present = drawn("rect", { class: "now", x: Math.min(WIDTH - 3, width * placeOf(now, parts)), y: 0, width: 3, height: HEIGHT });
  return drawn("svg", { class: "life", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label }, ...bars, present);
}

/** Return the place of the present, in widths of a part; in the last part, which has no end, its middle. */
function placeOf(now, parts) {
  const number = parts.findIndex(({ end }) => end === null || now < end), { start, end } = parts[number];
  return number + (end === null ? 0.5 : Math.max(0, now - start) / (end - start));
}

function sentence({ use, start, end, source }) {
  const meaning = MEANINGS[use] ?? use;
  if (end === null) return `${meaning}, however old it is (by ${source})`;
  return `${meaning}, until ${clock(end)} (${time(end - start)}${use === "fresh" ? "" : " more"}, by ${source})`;
}

const beyond = (validate) => `then: only after the origin has confirmed it${validate ? ` (${validate})` : ""}`;
