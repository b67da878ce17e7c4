// What a lock file would miss offline: the file is chosen, or dropped on the panel, and the proxy reads it.

import { send } from "./api.js";
import { byId, element } from "./elements.js";
import { counted, number } from "./units.js";

const MAX_SIZE = 16 * 1024 * 1024; // bytes, as the proxy has it

const MAX_SHOWN = 6;

const NOT_STORED = "not stored"; // the usual reason, which the heading says

/** Let the button and the panel take a file. */
export function setUpLockFile() {
  const panel = byId("missing-title").parentElement, chosen = byId("lock-file");
  chosen.addEventListener("change", () => {
    if (chosen.files.length) check(chosen.files[0]);
    chosen.value = ""; // so that the same file can be chosen again
  });
  const holdsFile = (event) => event.dataTransfer.types.includes("Files");
  panel.addEventListener("dragover", (event) => {
    if (holdsFile(event)) event.preventDefault();
    panel.classList.toggle("dropping", holdsFile(event));
  });
  panel.addEventListener("dragleave", () => panel.classList.remove("dropping"));
  panel.addEventListener("drop", (event) => {
    panel.classList.remove("dropping");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    check(event.dataTransfer.files[0]);
  });
}

async function check(file) {
  const place = byId("lock-file-result");
  if (file.size > MAX_SIZE) {
    place.replaceChildren(element("p", {}, `${file.name} is larger than 16 MiB.`));
    return;
  }
  place.replaceChildren(element("p", {}, `Looking for everything that ${file.name} names…`));
  try {
    const found = await send("POST", "/lock-file", { name: file.name, content: await file.text() });
    place.replaceChildren(...result(found));
  } catch (error) {
    place.replaceChildren(element("p", {}, error.message));
  }
}

function result({ name, is_readable: isReadable, stored, missing, first_missing: first }) {
  const list = element("ul", { class: "fetchable" }, ...first.slice(0, MAX_SHOWN).map(({ name: item, why }) =>
    element("li", {}, element("div", {}, element("span", { class: "url" }, item), why === NOT_STORED ? null : element("div", { class: "note" }, why)))));
  if (!isReadable) return [element("p", {}, `${name} cannot be read:`), list];
  if (!missing) return [element("p", {}, stored ? `${name}: nothing is missing, ${counted(stored, "URL")} stored.` : `${name} names nothing to download.`)];
  const rest = missing - MAX_SHOWN;
  return [
    element("p", {}, `${name}: ${number(missing)} missing, ${number(stored)} stored.`),
    list,
    ...(rest > 0 ? [element("p", { class: "note" }, `And ${number(rest)} more.`)] : []),
    element("p", {}, "In its folder, this fetches them: ", element("code", {}, `secondhand warm ${name}`)),
  ];
}
