// What needs attention, in the head of the page.

import { element, show } from "./elements.js";
import { counted, number, time } from "./units.js";

const SLOW = 1; // seconds; half of the responses of a slow origin take longer

const MAX_NAMED = 3; // of origins or hosts in one sentence

let sentBefore = null; // requests sent to origins when this page first saw that the proxy is offline

/** Show what needs attention. */
export function showWarnings({ status, stats }) {
  const { mode, store } = status, failed = Object.keys(mode.failing).filter((origin) => !mode.unreachable.includes(origin));
  const slow = Object.entries(stats.origin_times).filter(([, { median }]) => median > SLOW).map(([host]) => host);
  const sentences = [
    mode.recording ? `A recording is in use: ${mode.recording}` : "",
    mode.mode === "offline" && !mode.recording ? offlineText(mode.hosts) : "",
    liveText(mode, stats.counters["origin.fetches"] ?? 0),
    originsText(mode.unreachable, "does not answer", "do not answer"),
    originsText(failed, "failed when it was last asked", "failed when they were last asked"),
    originsText(slow, `takes longer than ${time(SLOW)} for most responses`, `take longer than ${time(SLOW)} for most responses`),
    stats.counters.stale ? `Stale responses were sent: ${number(stats.counters.stale)} since the start` : "",
    store.state !== "open" ? `The store ${store.state === "failing" ? "cannot store all responses" : "cannot be used"}: ${store.reason ?? ""}` : "",
    Object.keys(stats.distrusted).length ? "Some clients do not accept the certificate" : "",
  ].filter(Boolean);
  show("warnings", sentences, () => sentences.map((each) => element("li", {}, each)));
}

const named = (all) => all.slice(0, MAX_NAMED).join(", ");

function offlineText(modes) {
  const asked = Object.keys(modes).filter((host) => modes[host] !== "offline");
  return `Offline: no origin is asked${asked.length ? ` but for hosts with a mode of their own: ${named(asked)}` : ""}`;
}

/** Return a sentence if requests were sent to origins while the proxy was offline or a recording was in use. */
function liveText(mode, sent) {
  if (mode.mode !== "offline" && !mode.recording) {
    sentBefore = null;
    return "";
  }
  sentBefore ??= sent;
  const live = sent - sentBefore;
  return live > 0 ? `${counted(live, "request")} ${live === 1 ? "was" : "were"} sent to origins all the same, since this page was opened` : "";
}

/** Return a sentence about some origins, which names the first of them; nothing for none. */
function originsText(origins, does, others) {
  return origins.length ? `${counted(origins.length, "origin")} ${origins.length === 1 ? does : others}: ${named(origins)}` : "";
}
