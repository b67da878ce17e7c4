// What is missing offline: the list, and the fetches that end it.

import { send } from "./api.js";
import { byId, element, figures, show } from "./elements.js";
import { counted, number } from "./units.js";

const MAX_SHOWN = 6;

const AT_ONCE = 3; // a browser has six connections to the proxy, and others are needed meanwhile

const problems = new Map(); // by URL: why it could not be stored when it was last fetched

let changed = async () => {};

let fetching = false;

/** Show what is missing; `refresh` is called when something was fetched. */
export function setUpMissing(refresh) {
  changed = refresh;
}

/** Show what is missing in the present mode. */
export function showMissing({ missing, status }) {
  const asksNone = ["offline", "replay"].includes(status.mode.mode);
  show("missing", [missing, asksNone, fetching, [...problems]], () => list(missing, asksNone));
}

function list({ urls, too_large: tooLarge }, asksNone) {
  if (!urls.length && !tooLarge.length) return element("p", {}, "Nothing was asked for that is not stored.");
  const rest = urls.length - MAX_SHOWN, canFetch = !asksNone && !fetching;
  const button = (words, wanted, label) => element("button", { type: "button", disabled: !canFetch, "aria-label": label, click: () => fetchAll(wanted) }, words);
  return [
    urls.length ? figures([["Asked for while offline, and not stored", number(urls.length), urls.length === 1 ? "URL" : "URLs"]]) : null,
    urls.length && asksNone ? element("p", { class: "note" }, "They can be fetched when the mode is Online or Auto.") : null,
    element("ul", { class: "fetchable" }, ...urls.slice(0, MAX_SHOWN).map((url) => element("li", {},
      element("div", {}, element("span", { class: "url" }, url), problems.has(url) ? element("div", { class: "note" }, problems.get(url)) : null),
      asksNone ? null : button("Fetch", [url], `Fetch ${url}`)))),
    rest > 0 ? element("p", { class: "note" }, `And ${number(rest)} more.`) : null,
    urls.length > 1 && !asksNone ? button(`Fetch all ${number(urls.length)} now`, urls) : null,
    tooLarge.length ? element("p", {}, "Too large to be stored:") : null,
    tooLarge.length ? element("ul", {}, ...tooLarge.slice(0, MAX_SHOWN).map((each) => element("li", { class: "url" }, each))) : null,
  ];
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;

async function fetchAll(urls) {
  const waiting = [...urls];
  let done = 0, failed = 0, refused = "";
  fetching = true;
  byId("missing-title").focus(); // the list is drawn anew, and its buttons with it
  const tell = () => (byId("missing-progress").textContent = `${number(done)} of ${counted(urls.length, "URL")} fetched…`);
  async function work() {
    while (waiting.length && !refused) {
      const url = waiting.shift();
      try {
        const { problem, remedy } = await send("POST", "/fetch", { url });
        problems.delete(url);
        if (problem) problems.set(url, `${sentence(problem)}${remedy ? ` This would change it: ${remedy}.` : ""}`);
        failed += Boolean(problem);
        done += !problem;
      } catch (error) {
        if (error.status === 422) problems.set(url, `Not fetched: ${error.message}`);
        else refused = error.message;
        failed += 1;
      }
      tell();
    }
  }
  tell();
  await changed();
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  fetching = false;
  const rest = failed ? `, ${number(failed)} not` : "";
  byId("missing-progress").textContent = refused || `${counted(done, "URL")} fetched${rest}.`;
  await changed();
}
