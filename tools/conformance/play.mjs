// Plays the suite's conversations, and those of its present form, with the suite's own engine.
// usage: node play.mjs PACKAGE BASE ANSWER RECORDING [ID ...]; with ids it plays those alone.
// The recording has the verdicts and every exchange as it really was. With the answer `always` the suite is shown
// 200 for 203, because it takes any other status than the one it waits for as a fault of its own setup.

import { AsyncLocalStorage } from 'node:async_hooks'
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

import presentForm from './present_form/every.mjs'

const [suite, base, answer, recording, ...only] = process.argv.slice(2)
const PATIENCE = 20_000 // milliseconds: an answer that does not come is one test's failure, not the end of the run

const part = path => import(pathToFileURL(`${suite}/${path}`))
const { default: release } = await part('tests/index.mjs')
const { runTests, getResults } = await part('client/runner.mjs')
const fetch = createRequire(`${suite}/cli.mjs`)('node-fetch')

const chosen = [...release, ...presentForm]
  .map(section => ({ ...section, tests: section.tests.filter(test => !only.length || only.includes(test.id)) }))
const every = chosen.flatMap(section => section.tests).filter(test => !test.browser_only)
const ownNonAuthoritative = new Set(
  every.filter(test => test.requests.some(one => one.response_status?.[0] === 203)).map(test => test.id))

// node-fetch has no word for interim responses
const interim = new AsyncLocalStorage()
const request = http.request
http.request = (...args) => {
  const seen = interim.getStore()
  return request(...args).on('information', one => seen?.push(one))
}

const exchanges = []

// As the origin's log has them. Requests made of one template share their list of fields, and it grows with each.
function joined (fields = []) {
  const one = {}
  for (const [name, value] of fields) {
    const key = name.toLowerCase()
    one[key] = key in one ? `${one[key]}, ${value}` : String(value)
  }
  return one
}

function show (response, test, seen) {
  if (answer === 'always' && response.status === 203 && !ownNonAuthoritative.has(test)) {
    Object.defineProperty(response, 'status', { value: 200 })
  }
  // a field of no message: that way a script can say which interim responses it waits for
  for (const { statusCode, headers } of seen) {
    response.headers.append('Interim-Responses', [statusCode, ...Object.entries(headers).flat()].join(' '))
  }
  return response
}

async function fetchAndNote (url, init = {}) {
  const fields = joined(init.headers)
  const test = fields['test-id']?.split(', ').at(-1)
  const seen = []
  const response = await interim.run(seen, () => fetch(url, { ...init, timeout: PATIENCE }))
  exchanges.push({
    test,
    method: init.method ?? 'GET',
    target: url.slice(base.length),
    fields,
    status: response.status,
    received: Object.fromEntries(response.headers)
  })
  return show(response, test, seen)
}

await runTests(chosen, fetchAndNote, false, base)
const tests = every.map(test => (
  { id: test.id, kind: test.kind ?? 'required', depends_on: test.depends_on ?? [] }))
writeFileSync(recording, JSON.stringify({ tests, results: getResults(), exchanges }))
