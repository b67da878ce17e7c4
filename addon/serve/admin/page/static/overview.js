// The questions that are answered without a click, other than what is missing.

import { element, figures, show, table } from "./elements.js";
import { findings } from "./findings.js";
import { clock, counted, number, percent, size, sizeParts, time, timeParts } from "./units.js";

const MAX_HOSTS = 3;

/** Show the state of the proxy. */
export function showOverview({ stats, notStored }, now) {
  const { counters, contents } = stats;
  show("works", [counters.requests, counters.hits, counters["octets.from_copy"]], () => works(stats, now));
  show("not-stored", [notStored, counters.stored], () => reasons(notStored.reasons, counters));
  show("stored", [contents, counters.evicted, stats.store], () => stored(contents, counters, stats.store));
}

function works({ counters, since }, now) {
  const copied = counters["octets.from_copy"], fetched = counters["octets.from_origin"];
  const [saved, savedUnit] = sizeParts(copied), [waited, waitedUnit] = timeParts(counters["milliseconds.saved"] / 1000);
  return figures([
    ["Answered from copies", percent(counters.hits, counters.requests), "%",
      `${number(counters.hits)} of ${counted(counters.requests, "request")} since ${clock(since)}, ${time(now - since)} ago`],
    ["Content saved", saved, savedUnit, `${percent(copied, copied + fetched)} % of all content`],
    ["Waiting saved", waited, waitedUnit, "that origins would have taken"],
    ["Fetched from origins", ...sizeParts(fetched), counted(counters["origin.fetches"], "request")],
  ], true);
}

function reasons(found, counters) {
  const total = found.reduce((sum, each) => sum + each.responses, 0);
  const summary = `${counted(total, "response")} not stored, and ${number(counters.stored)} stored, since the start.`;
  const rows = found.map((each) => [
    element("div", {}, element("strong", {}, each.sentence), element("div", { class: "note" }, `${each.reason}, ${each.source === "ours" ? "a rule of this proxy" : each.source}`)),
    number(each.responses),
    hostsText(each.hosts),
    element("div", {}, each.remedy, findings(each.example)),
  ]);
  return [
    element("p", {}, summary),
    table("", ["Reason", ">Responses", "Hosts", "What would change it"], rows, "Every response that could be stored was stored."),
  ];
}

function hostsText(hosts) {
  const all = Object.entries(hosts);
  const named = all.slice(0, MAX_HOSTS).map(([host, responses]) => `${host} (${number(responses)})`);
  return [...named, ...(all.length > MAX_HOSTS ? [`and ${counted(all.length - MAX_HOSTS, "more host")}`] : [])].join(", ");
}

function stored(contents, counters, store) {
  if (!contents) return element("p", {}, "The store cannot be read at the moment.");
  const [held, unit] = sizeParts(contents.size), limit = contents.max_size; // null: only the engine of a shared store knows it
  const full = limit && percent(contents.size, limit);
  return [
    figures([
      ["Stored responses", number(contents.entries), contents.entries === 1 ? "response" : "responses"],
      ["Space in use", held, unit, limit ? `of ${size(limit)}: ${full} % full` : "its limit is that of the engine"],
    ]),
    limit ? element("meter", { min: 0, max: limit, value: contents.size, "aria-label": `Space in use: ${full} percent of the limit` }) : null,
    element("p", {}, evictedText(counters.evicted)),
    store.state === "open" ? null : element("p", {}, `The store is ${store.state}: ${store.reason ?? ""}`),
  ];
}

function evictedText(evicted) {
  if (!evicted) return "Nothing had to be deleted to make room since the start.";
  return `${counted(evicted, "response")} deleted to make room since the start. A larger store.max_size keeps more.`;
}
