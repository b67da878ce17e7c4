// Recordings: the list, and the button in the head that replays one.

import { get, send } from "./api.js";
import { offerForDiff } from "./diff.js";
import { byId, element, show, table } from "./elements.js";
import { orSay, say } from "./message.js";
import { number, size } from "./units.js";

let names = []; // of all recordings, when they were last asked for

let status = null; // of the proxy, at the latest look

let changed = async () => {};

/** Let the form and the button in the head work; `refresh` is called after each change. */
export function setUpRecordings(refresh) {
  changed = refresh;
  byId("record-form").addEventListener("submit", (event) => {
    event.preventDefault();
    switchRecording({ doing: "record", name: event.target.elements.name.value });
  });
  byId("replay").addEventListener("click", () => {
    if (names.length === 1) switchRecording({ doing: "replay", name: names[0] });
  });
}

function switchRecording(wanted) {
  return orSay(async () => {
    const state = await send("PUT", "/recordings", wanted);
    say(state.doing === null ? "The recording has ended." : `${state.doing === "record" ? "Recording" : "Replaying"} ${state.name}.`);
    document.activeElement.blur(); // the button that was used is drawn anew
    showState(state);
    await changed();
  });
}

/** Ask for the recordings, and show them. */
export async function showRecordings() {
  await orSay(async () => showState(await get("/recordings")));
}

function showState(state) {
  const rows = state.recordings.map(({ name, responses, size: bytes }) => [
    name,
    number(responses),
    size(bytes),
    state.name === name
      ? element("button", { type: "button", click: () => switchRecording({ doing: state.doing }) }, state.doing === "record" ? "End recording" : "End replaying")
      : element("button", { type: "button", click: () => switchRecording({ doing: "replay", name }) }, "Replay"),
  ]);
  show("recordings", state, () => table("", ["Name", ">Responses", ">Size", "Use"], rows, "There are no recordings."));
  names = state.recordings.map(({ name }) => name);
  offerForDiff(names);
  showReplays();
  if (status !== null) showReplay(status);
}

/** Let the button in the head open a list, unless there is only one recording. */
function showReplays() {
  const button = byId("replay"), list = byId("replays");
  if (names.length > 1) button.setAttribute("popovertarget", list.id);
  else button.removeAttribute("popovertarget");
  show("replays", names, () => names.map((name) => element("button", { type: "button", click: () => {
    list.hidePopover();
    switchRecording({ doing: "replay", name });
  } }, name)));
}

/** Show in the head which recording is replayed, or can be. */
export function showReplay(latest) {
  status = latest;
  const { mode } = latest, button = byId("replay"), replayed = mode.mode === "replay" ? mode.recording : null;
  button.hidden = !names.length && replayed === null;
  button.textContent = replayed || names.length === 1 ? `Replay ${replayed ?? names[0]}` : "Replay…";
  button.setAttribute("aria-pressed", String(replayed !== null));
}
