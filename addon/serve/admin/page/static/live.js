// The latest requests, as they are answered.

import { events, get } from "./api.js";
import { byId, element, show, table } from "./elements.js";
import { orSay, say, withdraw } from "./message.js";
import { inWords, wentOut } from "./outcomes.js";
import { clock, number, size, time } from "./units.js";
import { openWhy } from "./why.js";

const MAX_KEPT = 1000;

const MAX_SHOWN = 200;

const RETRY = 2000; // milliseconds

const TOP = 15;

const LOST = "The connection to the proxy is lost; trying again.";

let exchanges = [];
let known = new Set();
let changed = false;
let lost = 0;
let following = false;
let problem = ""; // why no exchanges come, as it is shown

/** The latest exchanges, the oldest first. */
export const latest = () => exchanges;

/** Read exchanges for as long as the page is open and the token is right, unless that is done already. */
export async function follow() {
  if (following) return;
  following = true;
  try {
    await readExchanges();
  } finally {
    following = false;
  }
}

/** Read exchanges until the proxy refuses the token. */
async function readExchanges() {
  for (;;) {
    await untilVisible();
    const end = new AbortController(), endIfHidden = () => document.hidden && end.abort();
    document.addEventListener("visibilitychange", endIfHidden);
    let found = LOST;
    try {
      await events("/exchanges", end.signal, () => (withdraw(problem), orSay(load)), take);
    } catch (error) {
      if (error.status === 401) return;
      if (error.status) found = `${error.message} Trying again.`;
    }
    document.removeEventListener("visibilitychange", endIfHidden);
    if (end.signal.aborted) continue;
    say((problem = found));
    await new Promise((resolve) => setTimeout(resolve, RETRY));
  }
}

/** Wait until the page can be seen: browsers have few connections for one server, and all tabs share them. */
async function untilVisible() {
  while (document.hidden) {
    await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
  }
}

async function load() {
  const { exchanges: found } = await get("/exchanges", { limit: MAX_KEPT });
  found.forEach(add);
  exchanges.sort((one, other) => one.at - other.at);
}

function take(name, data) {
  if (name === "exchange") add(data);
  if (name === "lost") lost += data.count;
}

const keyOf = (exchange) => [exchange.at, exchange.client, exchange.method, exchange.url, exchange.seconds].join(" ");

function add(exchange) {
  if (known.has(keyOf(exchange))) return; // from the list and from the stream
  exchanges.push(exchange);
  known.add(keyOf(exchange));
  changed = true;
  if (exchanges.length > MAX_KEPT) known.delete(keyOf(exchanges.shift()));
}

/** Draw the list again if it has changed. */
export function showLive(force = false) {
  const form = byId("live-filters").elements;
  if (byId("live").hidden || (!force && (!changed || form.paused.checked))) return;
  const found = exchanges.filter(filter(form)).reverse();
  const shown = found.slice(0, MAX_SHOWN);
  changed = !show("live-list", [shown, found.length, lost], () => list(shown, found.length));
  byId("live-held").hidden = !changed;
  show("top-misses", topMisses(), () => missesTable(topMisses()));
  showReasons();
}

function filter({ url, reason, status, client, origin }) {
  const has = (text, part) => text.toLowerCase().includes(part.value.trim().toLowerCase());
  return (each) =>
    has(each.url, url) &&
    (has(each.decision, reason) || has(each.reason, reason) || has(inWords(each.decision), reason)) &&
    String(each.status).startsWith(status.value.trim().replace(/x+$/i, "")) &&
    has(each.client, client) &&
    (!origin.checked || wentOut(each));
}

function list(shown, total) {
  const rows = shown.map((each) => [
    element("span", { class: "short" }, clock(each.at)),
    String(each.status),
    resultOf(each),
    urlButton(each),
    size(each.size),
    each.seconds ? time(each.seconds) : "", // of frequent hits, the time is not measured
    element("span", { class: each.client.length < 16 ? "short" : null }, each.client), // an IPv6 address may be broken
  ]);
  const missed = lost ? ` ${number(lost)} were too many to be listed.` : "";
  const caption = `${number(shown.length)} of ${number(total)} requests, the latest first. Choose a URL to see why it was answered so.${missed}`;
  return table(caption, ["Time", "Status", "Result", "URL", ">Content", ">Took", "Client"], rows, "No request fits.");
}

function resultOf(exchange) {
  const reason = exchange.reason && exchange.reason !== exchange.decision ? `: ${inWords(exchange.reason)}` : "";
  const times = exchange.times > 1 ? `, ${number(exchange.times)} times` : "";
  return `${inWords(exchange.decision)}${reason}${times}`;
}

function urlButton(exchange) {
  return element("button", { type: "button", class: "url", click: () => openWhy(exchange.url, exchange) }, `${exchange.method} ${exchange.url}`);
}

function topMisses() {
  const found = new Map();
  for (const each of exchanges.filter(wentOut)) {
    const row = found.get(each.url) ?? { url: each.url, method: each.method, times: 0, size: 0, reason: "" };
    found.set(each.url, { ...row, times: row.times + each.times, size: row.size + each.size, reason: each.reason || each.decision });
  }
  return [...found.values()].sort((one, other) => other.times - one.times).slice(0, TOP);
}

function missesTable(rows) {
  const cells = rows.map((row) => [urlButton(row), number(row.times), size(row.size), inWords(row.reason)]);
  return table("", ["URL", ">Requests to the origin", ">Content", "Latest reason"], cells, "No origin was asked.");
}

function showReasons() {
  const names = [...new Set(exchanges.flatMap((each) => [each.decision, each.reason]))].filter(Boolean).sort();
  show("reasons", names, () => names.map((name) => element("option", { value: name })));
}

/** Let the filters work. */
export function setUpLive() {
  const form = byId("live-filters");
  form.addEventListener("input", () => showLive(true));
  form.addEventListener("submit", (event) => event.preventDefault());
}
