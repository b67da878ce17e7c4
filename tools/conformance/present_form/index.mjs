// The tests in which the suite's present form differs from the release: 40 are new, 31 are different.

import { age, expires } from './age_and_expires.mjs'
import interim from './interim.mjs'
import responses from './responses.mjs'
import targeted from './targeted.mjs'

export default [targeted, age, expires, responses, interim]
