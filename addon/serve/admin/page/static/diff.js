// Compares two recordings, or one with what the origins answer now.

import { send } from "./api.js";
import { byId, element, table } from "./elements.js";
import { counted, number } from "./units.js";

const NOW = "the origins now";

const MAX_SHOWN = 100; // of each kind

let isStopped = false;

/** Let the form work. */
export function setUpDiff() {
  byId("diff-form").addEventListener("submit", (event) => {
    event.preventDefault();
    compare();
  });
  byId("diff-stop").addEventListener("click", () => (isStopped = true));
}

/** Let the form offer these recordings. */
export function offerForDiff(names) {
  const { first, second } = byId("diff-form").elements, chosen = [first.value, second.value];
  byId("diff-panel").hidden = !names.length;
  first.replaceChildren(...names.map((name) => element("option", { selected: name === chosen[0] }, name)));
  second.replaceChildren(element("option", { value: "" }, "what the origins answer now"),
    ...names.map((name) => element("option", { selected: name === chosen[1] }, name)));
}

async function compare() {
  const { first, second, ignore } = byId("diff-form").elements, names = [first.value, second.value || NOW];
  const wanted = { first: first.value, ...(second.value ? { second: second.value } : {}), ignore: ignore.value.split(/[\s,]+/).filter(Boolean) };
  const found = nothingFound();
  setRunning(true);
  let end = "";
  try {
    for (let after = ""; after !== null && !isStopped;) {
      byId("diff-progress").textContent = `${counted(found.urls, "URL")} compared…`;
      const part = await send("POST", "/diff", { ...wanted, after });
      add(found, part);
      after = part.next;
    }
    const same = found.kinds.some(({ count }) => count) ? "" : " There is no difference.";
    end = `${counted(found.urls, "URL")} compared${isStopped ? ", then stopped" : ""}.${same}`;
  } catch (error) {
    end = error.message;
  }
  setRunning(false);
  byId("diff-progress").textContent = end;
  byId("diff").replaceChildren(...shown(found, names));
}

function setRunning(isRunning) {
  isStopped = false;
  byId("diff-compare").disabled = isRunning;
  byId("diff-stop").hidden = !isRunning;
}

/** Return the place for what is found: of each kind, how many there are, and the first ones. */
export function nothingFound() {
  return { urls: 0, kinds: Array.from({ length: 4 }, () => ({ count: 0, first: [] })) };
}

/** Add a part of the comparison. What is not shown is not kept: contents are large. */
export function add(found, { urls, changed, not_compared: notCompared }) {
  found.urls += urls;
  const differ = changed.filter((each) => each.in_first && each.in_second);
  const only = [changed.filter((each) => !each.in_second), changed.filter((each) => !each.in_first)];
  [differ, ...only, notCompared].forEach((all, kind) => {
    const kept = found.kinds[kind];
    kept.count += all.length;
    kept.first.push(...all.slice(0, MAX_SHOWN - kept.first.length));
  });
}

function shown({ kinds: [differ, onlyFirst, onlySecond, notCompared] }, names) {
  const line = (each) => element("div", {}, named(each));
  return [
    ...part("Different", differ, (each) => response(each, names)),
    ...part(`Only in ${names[0]}`, onlyFirst, line),
    ...part(`Only in ${names[1]}`, onlySecond, line),
    ...part("Not compared", notCompared, (each) => element("div", {}, named(each), note(each.why))),
  ];
}

/** Return the heading and the first ones of a kind, if there are any. */
function part(heading, { count, first }, shown) {
  if (!count) return [];
  const rest = count - first.length;
  return [
    element("h3", {}, `${heading}: ${counted(count, "response")}`),
    element("div", { class: "differences" }, ...first.map(shown)),
    ...(rest > 0 ? [element("p", { class: "note" }, `And ${number(rest)} more. All of them: secondhand recordings diff`)] : []),
  ];
}

const named = ({ method, url }) => element("span", { class: "url" }, method === "GET" ? url : `${method} ${url}`);

const note = (text) => element("span", { class: "note" }, ` ${text}`);

/** Return a response that differs: its URL, and what differs behind it. */
function response(each, names) {
  const hasLines = Boolean(each.content?.lines.length);
  const rows = each.differences.map(({ part, first, second }) => [part, ...[first, second].map((text) => value(part, text, hasLines))]);
  return element("details", {},
    element("summary", {}, named(each), note(rows.map(([part]) => part).join(", "))),
    table("", ["Part", ...names], rows),
    ...(each.content ? lines(each.content, names) : []));
}

/** Return the value of a part; for a content whose lines are shown, only its size. */
function value(part, text, hasLines) {
  const [size, digest] = part === "content" ? text.split(", ") : [text ?? ""];
  return digest && !hasLines ? element("span", {}, size, ", ", element("code", {}, digest)) : size;
}

function lines({ lines: all, note: remark }, names) {
  let last = null;
  const rows = all.flatMap((line) => {
    const { first, second } = line, place = line.first_number ?? line.second_number;
    const gap = last !== null && line.first_number !== null && line.first_number > last + 1;
    last = line.first_number ?? last;
    const mark = first === null ? "added" : second === null ? "removed" : first === second ? "" : "changed";
    const row = { class: mark && "differs", cells: [`${number(place)} ${mark}`, first ?? "", second ?? ""] };
    return gap ? [["…", "", ""], row] : [row];
  });
  const found = rows.length ? table("Lines of the content", ["Line", ...names], rows) : null;
  found?.classList.add("lines");
  return [found, remark ? element("p", { class: "note" }, `${remark[0].toUpperCase()}${remark.slice(1)}.`) : null];
}
