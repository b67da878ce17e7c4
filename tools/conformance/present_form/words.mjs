// The words these conversations are written in. A test of the suite is plain data, and its engine changes what it is
// given, so each word makes its data anew.

// Marks the ids of the present form, beside the same ids in the form of the release.
export const PRESENT = 'present/'

export const conversation = (id, name, requests, dependsOn = []) => (
  { id: PRESENT + id, name, requests, depends_on: dependsOn })

// An answer of the origin's that the cache may store, and a pause of three seconds after it.
export const stored = (fields, more = {}) => ({ response_headers: fields, setup: true, pause_after: true, ...more })

export const fromCopy = (more = {}) => ({ expected_type: 'cached', ...more })
export const fromOrigin = (more = {}) => ({ expected_type: 'not_cached', ...more })

export const cacheControl = value => ['Cache-Control', value]
export const date = () => ['Date', 0]

// A field that the client need not find again as the origin sent it.
export const loose = (name, value) => [name, value, false]
