// What serves clients: the origins of the sites of an edge, the processes of the proxy, and the engine of a shared store.
// A proxy with one process, without sites and with a store of its own has nothing of that to show.

import { byId, element, figures, show, table } from "./elements.js";
import { clock, number, percent, time } from "./units.js";

/** Show the parts that this proxy has, and the link to them if it has one of them. */
export function showEdge({ status, stats }) {
  const { sites, workers, store } = status, isShared = store.kind === "redis";
  byId("edge-link").hidden = !sites.length && workers.length < 2 && !isShared;
  byId("edge-sites").hidden = !sites.length;
  byId("edge-engine").hidden = !isShared;
  if (byId("edge").hidden) return;
  const now = Date.now() / 1000, losses = ["engine.slow", "engine.lost"].map((name) => stats.counters[name] ?? 0);
  // what a worker knew has ended with it; only its counters are kept
  const since = status.supervisor ? "since the start of the present processes" : "since the start";
  show("edge-sites-table", sites, () => sitesTable(sites, now, since));
  show("edge-workers", workers, () => workersTable(workers, now));
  if (isShared) show("edge-engine-state", [store, losses], () => engine(store, losses, since));
}

function sitesTable(sites, now, since) {
  const rows = sites.flatMap((site) => site.origins.map((origin) => ({
    class: origin.state === "up" ? null : "differs",
    cells: [
      element("div", {}, element("div", { class: "url" }, origin.url), element("div", { class: "note" }, `for ${site.hosts.join(", ")}`)),
      element("span", { class: "short" }, origin.state),
      number(origin.weight),
      number(origin.in_flight),
      number(origin.requests),
      number(origin.failures),
      problemText(origin, now),
    ],
  })));
  const caption = `Requests are those that each origin has answered or failed ${since}, and those under way now. Its weight is its part of the requests.`;
  return table(caption, ["Origin", "State", ">Weight", ">Under way", ">Requests", ">Failed", "Latest problem"], rows);
}

function problemText({ last_problem: problem, last_problem_age: age }, now) {
  return problem ? `${clock(now - age)}: ${problem}` : "none";
}

function workersTable(workers, now) {
  const rows = workers.map((worker) => [
    String(worker.pid),
    worker.draining ? "ends when no connection is left" : "serves clients",
    clock(worker.since),
    number(worker.connections),
    number(worker.requests),
    `${time(worker.cpu_seconds)}, ${percent(worker.cpu_seconds, now - worker.since)} %`,
  ]);
  const caption = "Processor time is that since the start of the process, also as a part of one core.";
  return table(caption, ["Process", "State", "Since", ">Connections", ">Requests", ">Processor time"], rows);
}

function engine(store, [slow, lost], since) {
  const { reason, last_problem: last } = store;
  return [
    figures([
      ["State of the shared store", store.state === "open" ? "works" : "cannot be used", "", `engine at ${store.engine}`],
      ["Late replies", number(slow), slow === 1 ? "reply" : "replies", "since the start"],
      ["Lost connections", number(lost), lost === 1 ? "connection" : "connections", "since the start"],
    ]),
    reason ? element("p", {}, `Now: ${reason}`) : null,
    element("p", {}, last ? `Latest problem, ${clock(last.at)}: ${last.reason}` : `The engine could be used at all times ${since}.`),
    element("p", { class: "note" }, "These are the numbers of this node. The engine does not know which other nodes there are."),
  ];
}
