// Functions that build tests. A test of the suite is plain data, which the suite's engine modifies, so each function
// makes new data.

// Prefix of the ids of the present form, since the release has tests with the same ids.
export const PRESENT = 'present/'

export const conversation = (id, name, requests, dependsOn = []) => (
  { id: PRESENT + id, name, requests, depends_on: dependsOn })

// A response of the origin that the cache may store, and a pause of three seconds after it.
export const stored = (fields, more = {}) => ({ response_headers: fields, setup: true, pause_after: true, ...more })

// A request whose response must come from the cache, or from the origin.
export const fromCopy = (more = {}) => ({ expected_type: 'cached', ...more })
export const fromOrigin = (more = {}) => ({ expected_type: 'not_cached', ...more })

export const cacheControl = value => ['Cache-Control', value]
export const date = () => ['Date', 0]

// A field that may be different, or missing, when the client receives it.
export const unchecked = (name, value) => [name, value, false]
