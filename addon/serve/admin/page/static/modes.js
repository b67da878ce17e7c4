// The modes, of all hosts and of single ones.

import { send } from "./api.js";
import { byId, element, show, table } from "./elements.js";
import { orSay, say } from "./message.js";
import { counted } from "./units.js";

const MEANING = {
  online: "origins are asked whenever the rules of caching require it",
  auto: "origins are asked while they can be reached",
  offline: "no origin is asked",
};

/** Let the switches and forms work; `changed` is called after each change. */
export function setUpModes(changed) {
  for (const button of document.querySelectorAll("[data-mode]")) {
    button.addEventListener("click", () => switchMode({ mode: button.dataset.mode }, changed));
  }
  const form = byId("mode-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    switchMode({ mode: form.elements.mode.value, host: form.elements.host.value.trim() }, changed);
  });
}

function switchMode(wanted, changed) {
  return orSay(async () => {
    await send("PUT", "/modes", wanted);
    say(`Mode of ${wanted.host ?? "all hosts"}: ${wanted.mode}. From now on, ${MEANING[wanted.mode]}.`);
    await changed();
  });
}

/** Show the mode in the head of the page. */
export function showMode({ mode }) {
  for (const button of document.querySelectorAll("[data-mode]")) {
    button.setAttribute("aria-pressed", String(button.dataset.mode === mode.mode));
  }
}

/** Show the modes of hosts. */
export function showModes({ status, stats }) {
  const { mode } = status;
  show("modes-table", [mode, stats.counters["origin.fetches"]], () => [
    element("p", {}, mode.recording ? `The recording ${mode.recording} is in use.` : `Mode of all other hosts: ${mode.mode}; ${MEANING[mode.mode] ?? ""}.`),
    element("p", {}, `${counted(stats.counters["origin.fetches"], "request")} sent to origins since the start. `, element("a", { href: "#live" }, "The list of live requests"), " can show only those."),
    table("", ["Host", "Mode"], Object.entries(mode.hosts), "No host has a mode of its own."),
  ]);
}
