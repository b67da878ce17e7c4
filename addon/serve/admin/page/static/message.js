// The line for the results of what was done here. Screen readers say it.

import { byId } from "./elements.js";

/** Show a sentence; an empty one removes the last one. */
export function say(text) {
  byId("message").textContent = text;
}

/** Remove a sentence, unless another one is shown by now. */
export function withdraw(text) {
  if (byId("message").textContent === text) say("");
}

/** Do something, and say what went wrong if it does. */
export async function orSay(action) {
  try {
    return await action();
  } catch (error) {
    say(error.message);
    return null;
  }
}
