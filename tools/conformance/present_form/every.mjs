// The suite in its present form, where that differs from the release: 40 tests are new, 31 are written otherwise.

import { age, expires } from './age_and_expires.mjs'
import interim from './interim.mjs'
import responses from './responses.mjs'
import targeted from './targeted.mjs'

export default [targeted, age, expires, responses, interim]
