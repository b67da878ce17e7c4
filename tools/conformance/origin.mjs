// The suite's own origin server, on loopback only, with a log of what it was asked and what it answered.
// usage: node origin.mjs PACKAGE LOG; it prints the port it took. A script may also ask for `interim_responses`
// ([status, fields] each) before the answer, and for a `response_pause` in seconds: the release knows neither.

import { appendFileSync } from 'node:fs'
import http from 'node:http'
import { pathToFileURL } from 'node:url'

const [suite, log] = process.argv.slice(2)
const part = path => import(pathToFileURL(`${suite}/${path}`))
const { configs } = await part('server/utils.mjs')

function scriptOf (request) {
  const uuid = request.url.split(/[/?]/)[2]
  return configs.get(uuid)?.[request.headers['req-num'] - 1] ?? {}
}

function note (request, response) {
  appendFileSync(log, JSON.stringify({
    method: request.method,
    target: request.url,
    fields: request.headers,
    // the connection ended before the answer did: the script wanted that
    status: response.writableFinished ? response.statusCode : null,
    count: Number(response.getHeader('Server-Request-Count')) || null
  }) + '\n')
}

function interim (response, [status, fields]) {
  if (status === 103) response.writeEarlyHints(fields)
  else response.writeProcessing()
}

const createServer = http.createServer
http.createServer = answer => {
  const server = createServer((request, response) => {
    response.on('close', () => note(request, response))
    const script = scriptOf(request)
    script.interim_responses?.forEach(one => interim(response, one))
    if (script.response_pause) setTimeout(() => answer(request, response), script.response_pause * 1000)
    else answer(request, response)
  })
  const listen = server.listen.bind(server)
  server.listen = () => listen(0, '127.0.0.1')
  return server
}

await part('server/server.mjs')
