// The browser for stored responses. The API lists them in parts.

import { get } from "./api.js";
import { byId, element, table } from "./elements.js";
import { say } from "./message.js";
import { clock, size, time } from "./units.js";
import { openWhy } from "./why.js";

const PART = 50;

const LISTS = {
  url: { sort: "url", never_used: false },
  size: { sort: "size", never_used: false },
  never: { sort: "size", never_used: true },
  used: { sort: "used", never_used: false },
};

let next = null;
let asked = 0; // counts the lists that were asked for

/** Let the forms work. */
export function setUpStore() {
  const form = byId("store-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    list();
  });
  for (const button of document.querySelectorAll("[data-list]")) {
    button.addEventListener("click", () => {
      const { sort, never_used: never } = LISTS[button.dataset.list];
      form.elements.sort.value = sort;
      form.elements.never_used.checked = never;
      list();
    });
  }
  byId("store-first").addEventListener("click", () => list());
  byId("store-next").addEventListener("click", () => list(next));
}

/** List the stored responses that fit, those behind a place. Parts are asked for until there are enough for a page. */
export async function list(after = "") {
  const turn = ++asked;
  try {
    const wanted = Object.fromEntries(new FormData(byId("store-form")));
    const entries = [];
    for (let place = after; place !== null && entries.length < PART; place = next) {
      const found = await get("/entries", { ...wanted, limit: PART - entries.length, after: place });
      if (turn !== asked) return; // another list is wanted by now
      entries.push(...found.entries);
      next = found.next;
      showPart(entries, found, after);
    }
  } catch (error) {
    if (turn === asked) say(error.message);
  }
}

function showPart(entries, { next: more, sample }, after) {
  const searching = more !== null && entries.length < PART;
  const nothing = searching ? "Searching…" : after ? "Nothing else that is stored fits." : "Nothing that is stored fits.";
  const caption = sample ? "Of the first 5,000 responses that were found: the shared store has more, in no order." : "";
  byId("store-list").setAttribute("aria-busy", String(searching));
  byId("store-list").replaceChildren(entriesTable(entries, caption, nothing));
  byId("store-first").hidden = !after;
  byId("store-next").hidden = more === null || searching;
}

function entriesTable(entries, caption, nothing) {
  const rows = entries.map((entry) => [
    element("button", { type: "button", class: "url", click: () => openWhy(entry.url, { method: entry.method }) }, `${entry.method} ${entry.url}`),
    String(entry.status),
    size(entry.size),
    element("span", { class: "short" }, entry.state),
    time(entry.age),
    time(entry.lifetime),
    element("span", { class: "short" }, entry.last_used ? clock(entry.last_used) : "never"),
  ]);
  return table(caption, ["URL", "Status", ">Content", "State", ">Age", ">Lifetime", "Last used"], rows, nothing);
}
