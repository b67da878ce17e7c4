// The drawer that explains one URL: what a request would get now, by which rules, and what the copy is.

import { get } from "./api.js";
import { byId, element, table } from "./elements.js";
import { inWords } from "./outcomes.js";
import { preview } from "./preview.js";
import { timeLine } from "./time_line.js";
import { clock, size, time } from "./units.js";

let asked = 0; // counts the explanations that were asked for

/** Open the drawer for a URL; `exchange` is a request for it, if one is known. */
export async function openWhy(url, exchange = {}) {
  const drawer = byId("why"), content = byId("why-content"), method = exchange.method ?? "GET", turn = ++asked;
  byId("why-title").textContent = `${method} ${url}`;
  content.replaceChildren(element("p", { class: "note" }, "Asking the proxy…"));
  if (!drawer.open) drawer.showModal();
  byId("why-title").focus();
  try {
    const [why, shown] = await Promise.all([get("/why", { url, method }), get("/show", { url })]);
    if (turn !== asked) return; // another URL is shown by now
    content.replaceChildren(...[past(exchange), ...present(why), ...shown.variants.flatMap(variant)].filter(Boolean));
  } catch (error) {
    if (turn !== asked) return;
    content.replaceChildren(...[past(exchange), element("p", {}, `There is no explanation: ${error.message}`)].filter(Boolean));
  }
}

function past(exchange) {
  if (exchange.at === undefined) return null;
  const reason = exchange.reason && exchange.reason !== exchange.decision ? `, ${inWords(exchange.reason)}` : "";
  return element("p", {}, `At ${clock(exchange.at)}, ${exchange.client} got status ${exchange.status} with ${size(exchange.size)}${exchange.seconds ? ` in ${time(exchange.seconds)}` : ""}: ${inWords(exchange.decision)}${reason}.`);
}

const DECISIONS = {
  hit: "A request now would get the copy.",
  validate: "A request now would ask the origin whether the copy is still right.",
  forward: "A request now would be sent to the origin.",
  refuse: "A request now would be refused by this proxy.",
};

function present(why) {
  const note = why.not_stored;
  return [
    element("h3", {}, "Now"),
    element("p", { class: "answer" }, DECISIONS[why.decision] ?? `A request now: ${why.decision}.`),
    note ? element("p", {}, element("strong", {}, "Not stored: "), `${note.sentence}, ${time(note.seconds_ago)} ago. `, element("strong", {}, "This would change it: "), `${note.remedy}.`) : null,
    why.too_large ? element("p", {}, why.too_large) : null,
    table("The steps of the decision, for a request without further fields", ["About", "What was found", "Rule"],
      why.steps.map((step) => [step.subject, step.finding, step.source === "ours" ? "of this proxy" : step.source])),
    why.if_no_answer ? element("p", {}, `If the origin does not answer: ${why.if_no_answer}`) : null,
  ];
}

function variant(stored, place, all) {
  const number = all.length > 1 ? ` ${place + 1} of ${all.length}` : "";
  const selecting = Object.entries(stored.vary).map(([name, value]) => (value === null ? `no ${name}` : `${name}: ${value}`));
  return [
    element("h3", {}, `Copy${number}`),
    selecting.length ? element("p", {}, `For requests with ${selecting.join(", ")}`) : null,
    timeLine(stored),
    element("p", {}, `Status ${stored.definitive.status}, ${size(stored.size)} of content, SHA-256 `, element("code", {}, stored.sha256)),
    preview(stored),
    heads(stored),
  ];
}

const MARKS = { same: "", added: "added by this proxy", removed: "not sent", changed: "changed" };

/** Return the head that the origin sent beside the one that a client would get. */
function heads({ definitive, presented }) {
  const rows = [["status", `${definitive.status} ${definitive.reason}`, `${presented.status} ${presented.reason}`]];
  const names = new Map([...definitive.fields, ...presented.fields].reverse().map(([name]) => [name.toLowerCase(), name]));
  const all = (head, lower) => head.fields.filter(([name]) => name.toLowerCase() === lower).map(([, value]) => value);
  for (const [lower, name] of [...names].reverse()) {
    const before = all(definitive, lower), after = all(presented, lower);
    for (let place = 0; place < Math.max(before.length, after.length); place++) rows.push([name, before[place], after[place]]);
  }
  const cells = rows.map(([name, before, after]) => {
    const mark = before === after ? "same" : after === undefined ? "removed" : before === undefined ? "added" : "changed";
    return { class: mark === "same" ? null : "differs", cells: [name, before ?? "", after ?? "", MARKS[mark]] };
  });
  return table("The head that the origin sent, and the one that a client would get", ["Field", "Origin sent", "Client gets", "Difference"], cells);
}
