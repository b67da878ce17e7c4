// Purges: first the count of what would go, then the purge of just that.

import { send } from "./api.js";
import { byId } from "./elements.js";
import { orSay, say } from "./message.js";
import { counted, size } from "./units.js";

let counting = null; // what the shown count is about

/** Let the form work. */
export function setUpPurge() {
  const form = byId("purge-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    orSay(count);
  });
  form.addEventListener("input", forget);
  byId("purge-confirm").addEventListener("click", () => orSay(purge));
}

function wanted() {
  const { kind, value, soft } = byId("purge-form").elements;
  const what = kind.value === "all" ? { all: true } : { [kind.value]: value.value.trim() };
  return soft.checked ? { ...what, soft: true } : what;
}

/** Return what the form selects, in the words of the form. */
function inWords() {
  const { kind, value } = byId("purge-form").elements;
  const words = kind.selectedOptions[0].textContent;
  return kind.value === "all" ? words : `${words} ${value.value.trim()}`;
}

function forget() {
  const { kind, value } = byId("purge-form").elements;
  value.parentElement.hidden = kind.value === "all";
  byId("purge-label").textContent = kind.selectedOptions[0].textContent;
  counting = null;
  byId("purge-confirm").hidden = true;
  byId("purge-count").textContent = "";
}

async function count() {
  say("");
  const what = wanted();
  const found = await send("POST", "/purge", { ...what, dry_run: true });
  if (JSON.stringify(what) !== JSON.stringify(wanted())) return; // the form was changed meanwhile
  const sized = found.size === undefined ? "" : ` with ${size(found.size)}`;
  const does = what.soft ? "be marked as stale" : "be deleted";
  byId("purge-count").textContent = `${counted(found.copies, "stored response")}${sized} would ${does}.`;
  counting = what;
  byId("purge-confirm").hidden = !found.copies;
  const responses = counted(found.copies, "response");
  byId("purge-confirm").textContent = `${what.soft ? `Mark ${responses} as stale` : `Delete ${responses}`}: ${inWords()}`;
}

async function purge() {
  if (counting === null) return;
  const done = await send("POST", "/purge", counting);
  forget();
  byId("purge-count").textContent = done.soft ? `${counted(done.copies, "stored response")} marked as stale.` : `${counted(done.copies, "stored response")} deleted.`;
}
