// The outcomes by which responses are counted and coloured, and the names of reasons in words.

/** The outcomes in the order in which charts stack them. */
export const OUTCOMES = [
  ["hit", "from a copy, fresh"],
  ["stale", "from a copy, stale"],
  ["validated", "from a copy that the origin confirmed"],
  ["miss", "fetched from the origin"],
  ["bypass", "past the cache"],
  ["error", "an error from this proxy"],
];

/** Return how many responses had each outcome, by the counters of the proxy, as its series over time count them. */
export function outcomesOf(counters) {
  const count = (name) => counters[name] ?? 0;
  const sum = (family) =>
    Object.entries(counters).reduce((total, [name, value]) => total + (name.startsWith(family) ? value : 0), 0);
  const hit = count("hits") - count("hits.stale"), stale = count("stale"), validated = count("validated");
  const bypass = count("answers.bypass") + count("answers.method");
  const miss = Math.max(0, sum("answers.") - hit - stale - validated - bypass);
  return { hit, stale, validated, miss, bypass, error: sum("refused.") - count("refused.redirect") };
}

const WORDS = {
  "hit": "from a copy",
  "uri-miss": "nothing was stored for this URL",
  "vary-miss": "stored, but for other request fields",
  "stale": "the copy was stale",
  "request": "the request did not allow the copy",
  "method": "a method that no cache answers",
  "bypass": "past the cache",
  "partial": "only a part was stored",
  "miss": "nothing was stored that may be used",
  "refused": "refused by this proxy",
  "tunnel": "a tunnel",
  "no-cache": "the origin demands validation",
  "no-store": "the origin says no-store",
  "private": "the origin says private",
  "set-cookie": "it sets cookies",
  "never-reusable": "it has no lifetime",
  "offline": "this proxy is offline",
};

/** Return a decision or a reason in words; one that has no words here, as it is. */
export const inWords = (name) => WORDS[name] ?? name;

/** True if the response came from a copy without a request to the origin. */
export const isHit = (exchange) => exchange.decision === "hit";

/** True if an origin was asked. */
export const wentOut = (exchange) => !["hit", "refused", ""].includes(exchange.decision);
