// Plays the tests of the release, and those of the present form, with the suite's own engine.
// Usage: node play.mjs PACKAGE BASE ANSWER RECORDING [ID ...]. With ids, it plays only these tests.
// The recording has the verdicts, and every exchange as it was on the wire. If ANSWER is `always`, the suite is shown
// 200 in place of 203, because it takes a status that it does not expect for a failure of its own setup.

import { AsyncLocalStorage } from 'node:async_hooks'
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

import presentForm from './present_form/index.mjs'

const [suite, base, answer, recording, ...only] = process.argv.slice(2)
const TIMEOUT = 20_000 // milliseconds: a missing response fails one test, and does not stop the run

const importFromSuite = path => import(pathToFileURL(`${suite}/${path}`))
const { default: release } = await importFromSuite('tests/index.mjs')
const { runTests, getResults } = await importFromSuite('client/runner.mjs')
const fetch = createRequire(`${suite}/cli.mjs`)('node-fetch')

const sections = [...release, ...presentForm]
  .map(section => ({ ...section, tests: section.tests.filter(test => !only.length || only.includes(test.id)) }))
const tests = sections.flatMap(section => section.tests).filter(test => !test.browser_only)
const testsWithOrigin203 = new Set(
  tests.filter(test => test.requests.some(request => request.response_status?.[0] === 203)).map(test => test.id))

// node-fetch does not report interim responses, so they are collected from Node.js's own client
const interimStorage = new AsyncLocalStorage()
const request = http.request
http.request = (...args) => {
  const interim = interimStorage.getStore()
  return request(...args).on('information', response => interim?.push(response))
}

const exchanges = []

// Fields as an object, with names in lower case and repeated fields joined, as in the origin's log. It must be a copy:
// requests that are made from one template share a list of fields, to which each of them adds.
function joined (fields = []) {
  const result = {}
  for (const [name, value] of fields) {
    const key = name.toLowerCase()
    result[key] = key in result ? `${result[key]}, ${value}` : String(value)
  }
  return result
}

// The response as the suite is to see it.
function shown (response, test, interim) {
  if (answer === 'always' && response.status === 203 && !testsWithOrigin203.has(test)) {
    Object.defineProperty(response, 'status', { value: 200 })
  }
  // a field that is not in the message: with it, a test can state which interim responses it expects
  for (const { statusCode, headers } of interim) {
    response.headers.append('Interim-Responses', [statusCode, ...Object.entries(headers).flat()].join(' '))
  }
  return response
}

async function fetchAndRecord (url, init = {}) {
  const fields = joined(init.headers)
  const test = fields['test-id']?.split(', ').at(-1)
  const interim = []
  const response = await interimStorage.run(interim, () => fetch(url, { ...init, timeout: TIMEOUT }))
  exchanges.push({
    test,
    method: init.method ?? 'GET',
    target: url.slice(base.length),
    fields,
    status: response.status,
    received: Object.fromEntries(response.headers)
  })
  return shown(response, test, interim)
}

await runTests(sections, fetchAndRecord, false, base)
const played = tests.map(test => (
  { id: test.id, kind: test.kind ?? 'required', depends_on: test.depends_on ?? [] }))
writeFileSync(recording, JSON.stringify({ tests: played, results: getResults(), exchanges }))
