// The responses over time, stacked by outcome: for the last minutes by the difference of the counters between two looks
// at them, and for longer ranges as the proxy has kept them.

import { get } from "./api.js";
import { byId, drawn, element, show } from "./elements.js";
import { orSay } from "./message.js";
import { OUTCOMES } from "./outcomes.js";
import { clock, counted, number } from "./units.js";

const STEP = 3; // seconds between two looks at the counters

const LIVE_BARS = 100;

const MAX_GAP = 3 * STEP; // nobody knows when the responses of a longer time were sent, as while the tab was hidden

const HEIGHT = 100;

const RANGES = {
  live: ["5 minutes", LIVE_BARS * STEP, STEP],
  "1h": ["1 hour", 3600, 60],
  "24h": ["24 hours", 86400, 300],
  "30d": ["30 days", 30 * 86400, 3600],
};

let range = "1h";
let before = null;
let live = [];

/** Let the buttons for the ranges work. */
export function setUpChart() {
  byId("ranges").replaceChildren(...Object.entries(RANGES).map(([name, [words]]) =>
    element("button", { type: "button", "data-range": name, click: () => choose(name) }, words)));
  choose(range, false);
}

function choose(name, now = true) {
  range = name;
  for (const button of byId("ranges").children) button.setAttribute("aria-pressed", String(button.dataset.range === name));
  if (now) orSay(showChart);
}

/** Add the outcomes that are counted now; `at` is in seconds since the epoch. */
export function addToChart(outcomes, at) {
  const seconds = before === null ? Infinity : at - before.at;
  if (seconds < 1) return; // the counters were looked at twice
  if (seconds <= MAX_GAP) {
    const changes = OUTCOMES.map(([name]) => [name, Math.max(0, outcomes[name] - before.outcomes[name])]);
    live = [...live, { at, seconds, ...Object.fromEntries(changes) }].slice(-LIVE_BARS);
  }
  before = { outcomes, at };
}

/** Show the range that is chosen. */
export async function showChart() {
  const chosen = range, now = Date.now() / 1000;
  const bars = chosen === "live" ? liveBars(now) : barsOf(await get("/series", { range: chosen }), now);
  if (chosen === range) show("chart", [chosen, bars, Math.floor(now / RANGES[chosen][2])], () => figure(bars, now));
}

/** Return the looks at the counters as bars, each at the place of its time. */
const liveBars = (now) =>
  live.map((bar) => ({ ...bar, place: LIVE_BARS - (now - bar.at + bar.seconds) / STEP, width: bar.seconds / STEP })).filter(({ place }) => place >= 0);

/** Return the points of a series as bars, each at the place of its time. */
function barsOf({ range: name, step, points }, now) {
  const from = Math.ceil(now / step) * step - RANGES[name][1];
  return points.filter(({ at }) => at >= from).map((point) => ({ ...point, seconds: step, place: (point.at - from) / step, width: 1 }));
}

const sumOf = (bar) => OUTCOMES.reduce((sum, [name]) => sum + bar[name], 0);

function figure(bars, now) {
  const [words, seconds, step] = RANGES[range];
  const during = `in the last ${words.replace(/^1 /, "")}`;
  const highest = Math.max(...bars.map((bar) => sumOf(bar) / bar.seconds), 0.001);
  const totals = Object.fromEntries(OUTCOMES.map(([name]) => [name, bars.reduce((sum, bar) => sum + bar[name], 0)]));
  const said = OUTCOMES.map(([name, meaning]) => `${meaning}: ${number(totals[name])}`).join("; ");
  const plot = drawn("svg", { class: "plot", viewBox: `0 0 ${seconds / step} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `Responses ${during}. ${said}.` });
  for (const bar of bars) plot.append(...stacked(bar, HEIGHT / (highest * bar.seconds)));
  return element("figure", {},
    element("figcaption", {}, `${counted(sumOf(totals), "response")} ${during}; the highest bar is ${highest < 10 ? highest.toFixed(highest < 1 ? 2 : 1) : number(Math.round(highest))} responses per second`),
    plot,
    element("div", { class: "axis", "aria-hidden": "true" }, element("span", {}, clock(now - seconds)), element("span", {}, "now")),
    element("ul", { class: "legend" }, ...OUTCOMES.map(([name, meaning]) =>
      element("li", {}, element("i", { class: name }), `${meaning}: ${counted(totals[name], "response")}`))));
}

function stacked(bar, scale) {
  let base = HEIGHT;
  return OUTCOMES.filter(([name]) => bar[name]).map(([name]) => {
    base -= bar[name] * scale;
    return drawn("rect", { class: name, x: bar.place + 0.06, width: bar.width - 0.12, y: base, height: bar[name] * scale });
  });
}
