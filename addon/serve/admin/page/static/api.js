// Asks the admin API. The token comes in the fragment of the address, which browsers send to no server; it is kept for
// this tab, and sent in a field that no other page can make a browser send.

const KEPT = "admin-token";

const TIMEOUT = 65_000; // milliseconds; the proxy itself gives a command up after 60 seconds

/** Take the token out of the address, so that it is neither seen nor bookmarked. */
export function takeToken() {
  const match = /^#token=(.+)$/.exec(location.hash);
  if (!match) return;
  sessionStorage.setItem(KEPT, decodeURIComponent(match[1]));
  history.replaceState(null, "", `${location.pathname}#overview`);
}

/** True if there is a token; it need not be the right one. */
export const hasToken = () => sessionStorage.getItem(KEPT) !== null;

/** An answer of the proxy that is not a success. */
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** Wait for what comes from the proxy; what browsers say when nothing comes differs, and tells people little. */
async function received(coming) {
  try {
    return await coming;
  } catch (error) {
    if (error.name === "TimeoutError") throw new Error(`The proxy has not answered within ${TIMEOUT / 1000} seconds.`, { cause: error });
    if (error instanceof TypeError) throw new Error("The proxy does not answer.", { cause: error });
    throw error;
  }
}

async function ask(path, options = {}) {
  const fields = { Authorization: `Bearer ${sessionStorage.getItem(KEPT) ?? ""}`, ...options.headers };
  const response = await received(fetch(path, { ...options, headers: fields, credentials: "omit", cache: "no-store" }));
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  if (response.status === 401) sessionStorage.removeItem(KEPT);
  throw new Refusal(response.status, String(problem.detail ?? `The proxy has answered with status ${response.status}.`));
}

/** Return what the API has at a path. Arguments that are empty are left out. */
export async function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = given.length ? `?${new URLSearchParams(given)}` : "";
  const response = await ask(path + text, { signal: AbortSignal.timeout(TIMEOUT) });
  return received(response.json());
}

/** Send arguments, and return the result. */
export async function send(method, path, content) {
  const options = { method, headers: { "Content-Type": "application/json" }, signal: AbortSignal.timeout(TIMEOUT), body: JSON.stringify(content) };
  const response = await ask(path, options);
  return received(response.json());
}

/**
 * Call `take(name, data)` for each event, until the connection ends, or `signal` ends it. EventSource cannot send the token, so the stream is
 * read here (HTML standard, section 9.2).
 */
export async function events(path, signal, opened, take) {
  const response = await ask(path, { headers: { Accept: "text/event-stream" }, signal });
  opened();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const lines = new Map(part.split("\n").map((line) => line.split(/: (.*)/s)));
      if (lines.has("data")) take(lines.get("event"), JSON.parse(lines.get("data")));
    }
  }
}
