// The page: which view is shown, and what is asked again while it is open.

import { get, hasToken, takeToken } from "./api.js";
import { addToChart, setUpChart, showChart } from "./chart.js";
import { showClients } from "./clients.js";
import { setUpDiff } from "./diff.js";
import { showEdge } from "./edge.js";
import { byId } from "./elements.js";
import { showHosts } from "./hosts.js";
import { follow, setUpLive, showLive } from "./live.js";
import { setUpLockFile } from "./lock_file.js";
import { say, withdraw } from "./message.js";
import { setUpMissing, showMissing } from "./missing.js";
import { setUpModes, showMode, showModes } from "./modes.js";
import { outcomesOf } from "./outcomes.js";
import { showOverview } from "./overview.js";
import { setUpPurge } from "./purge.js";
import { showQrCode } from "./qr_code.js";
import { setUpRecordings, showRecordings, showReplay } from "./recordings.js";
import { list, setUpStore } from "./store.js";
import { showWarnings } from "./warnings.js";

const INTERVAL = 3000; // milliseconds between two looks at the counters

const LIVE_INTERVAL = 500;

let state = null;
let problem = ""; // of the latest look at the counters

let areRecordingsListed = false; // the head offers them, and each list takes a look into all of them

/** Show the view that the address names, and none without a token. */
function showView() {
  const wanted = location.hash.slice(1);
  if (wanted === "content") return;
  const views = [...document.querySelectorAll(".view")];
  const name = !hasToken() ? "no-token" : views.some((view) => view.id === wanted) ? wanted : "overview";
  for (const view of views) view.hidden = view.id !== name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  say("");
  if (hasToken()) follow();
  if (name === "store") list();
  if (hasToken() && (name === "modes" || !areRecordingsListed)) {
    areRecordingsListed = true;
    showRecordings();
  }
  if (name === "clients") showQrCode();
  showLive(true);
  draw();
}

async function refresh() {
  try {
    const isOverview = !byId("overview").hidden, paths = ["/status", "/stats", ...(isOverview ? ["/not-stored", "/missing"] : [])];
    const [status, stats, notStored, missing] = await Promise.all(paths.map((path) => get(path)));
    addToChart(outcomesOf(stats.counters), Date.now() / 1000);
    state = { ...state, status, stats, ...(isOverview ? { notStored, missing } : {}) };
    withdraw(problem);
    draw();
    if (isOverview) await showChart();
  } catch (error) {
    if (error.status === 401) showView();
    else say((problem = error.message));
  }
}

function draw() {
  if (state === null) return;
  showMode(state.status);
  showReplay(state.status);
  showWarnings(state);
  if (state.missing) {
    showOverview(state, Date.now() / 1000);
    showMissing(state);
  }
  showHosts(state);
  showModes(state);
  showClients(state);
  showEdge(state);
}

async function repeat() {
  if (!document.hidden && hasToken()) await refresh();
  setTimeout(repeat, INTERVAL);
}

takeToken();
setUpChart();
setUpLive();
setUpStore();
setUpPurge();
setUpModes(refresh);
setUpRecordings(refresh);
setUpDiff();
setUpMissing(refresh);
setUpLockFile();
addEventListener("hashchange", () => {
  takeToken();
  showView();
  if (hasToken() && !byId("overview").hidden) refresh(); // other views do not ask for all that it shows
});
showView();
repeat();
setInterval(showLive, LIVE_INTERVAL);
