// The hosts: how often their copies are used, how long their origins take, and which of them fail.

import { byId, drawn, element, show, table } from "./elements.js";
import { latest } from "./live.js";
import { isHit, wentOut } from "./outcomes.js";
import { clock, number, percent, size, time } from "./units.js";

const FAMILY = "not_stored.";

/** Show the hosts. */
export function showHosts({ stats, status }) {
  if (byId("hosts").hidden) return;
  show("hosts-table", [stats.hosts, stats.origin_times], () => hostsTable(stats.hosts, stats.origin_times));
  const buckets = histogram(latest());
  show("times", buckets, () => timesTable(buckets));
  show("origins", [status.mode.failing, status.mode.unreachable, status.sites], () => problems(status));
}

function hostsTable(hosts, times) {
  const rows = Object.entries(hosts).map(([host, counters]) => {
    const found = times[host];
    return [
      element("span", { class: "url" }, host),
      number(counters.requests),
      `${percent(counters.hits, counters.requests)} %`,
      number(counters.stale),
      size(counters["octets.from_copy"]),
      size(counters["octets.from_origin"]),
      found ? time(found.median) : "",
      found ? time(found.slow) : "",
      number(notStored(counters)),
      number(counters.failures),
    ];
  });
  const caption = "Since the start. Times are about those until an origin's response began: half took less than the median, and 95 % less than the last one.";
  return table(caption, ["Host", ">Requests", ">From copies", ">Sent stale", ">Content from copies", ">From the origin", ">Origin, median", ">Origin, 95 %", ">Not stored", ">Failed"], rows, "No request yet.");
}

const notStored = (counters) =>
  Object.entries(counters).reduce((sum, [name, value]) => sum + (name.startsWith(FAMILY) ? value : 0), 0);

const LIMITS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, Infinity]; // seconds

function histogram(exchanges) {
  const rows = LIMITS.map((limit) => ({ limit, copies: 0, origins: 0 }));
  for (const each of exchanges) {
    const row = rows.find(({ limit }) => each.seconds < limit);
    if (isHit(each)) row.copies += each.times;
    else if (wentOut(each)) row.origins += each.times;
  }
  return rows;
}

function timesTable(rows) {
  const most = Math.max(1, ...rows.map((row) => row.copies + row.origins));
  const cells = rows.map((row, place) => [
    element("span", { class: "short" }, row.limit === Infinity ? `${time(LIMITS[place - 1])} and more` : `less than ${time(row.limit)}`),
    number(row.copies),
    number(row.origins),
    drawn("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", width: "100%", "aria-hidden": "true" },
      drawn("rect", { class: "hit", width: (100 * row.copies) / most, height: 10 }),
      drawn("rect", { class: "miss", x: (100 * row.copies) / most, width: (100 * row.origins) / most, height: 10 })),
  ]);
  const made = table("", ["Time", ">From copies", ">From origins", "Of all"], cells);
  made.classList.add("bars");
  return made;
}

function problems({ mode, sites }) {
  const failing = Object.entries(mode.failing).map(([origin, failure]) => [origin, failure.sentence, clock(failure.at), mode.unreachable.includes(origin) ? "left alone, tried once a second" : "asked"]);
  const alone = mode.unreachable.filter((origin) => !(origin in mode.failing)).map((origin) => [origin, "it does not answer", "", "left alone, tried once a second"]);
  const ofSites = sites.flatMap((site) => site.origins.filter((origin) => origin.state !== "up").map((origin) => [origin.url, origin.problem, "", origin.state]));
  return table("", ["Origin", "Problem", "Last failed", "Now"], [...failing, ...alone, ...ofSites], "All origins answered when they were last asked.");
}
