// The suite's own origin, on the loopback interface, with a log of its requests and responses.
// Usage: node origin.mjs PACKAGE LOG. It prints the port. A test may have two settings that the release does not know:
// `interim_responses` (a list of [status, fields], sent before the response) and `response_pause` (in seconds).

import { appendFileSync } from 'node:fs'
import http from 'node:http'
import { pathToFileURL } from 'node:url'

const [suite, log] = process.argv.slice(2)
const importFromSuite = path => import(pathToFileURL(`${suite}/${path}`))
const { configs } = await importFromSuite('server/utils.mjs')

function scriptOf (request) {
  const uuid = request.url.split(/[/?]/)[2]
  return configs.get(uuid)?.[request.headers['req-num'] - 1] ?? {}
}

function writeLog (request, response) {
  appendFileSync(log, JSON.stringify({
    method: request.method,
    target: request.url,
    fields: request.headers,
    // null: the test made the origin close the connection before the end of the response
    status: response.writableFinished ? response.statusCode : null,
    count: Number(response.getHeader('Server-Request-Count')) || null
  }) + '\n')
}

function sendInterim (response, [status, fields]) {
  if (status === 103) response.writeEarlyHints(fields)
  else response.writeProcessing()
}

const createServer = http.createServer
http.createServer = respond => {
  const server = createServer((request, response) => {
    response.on('close', () => writeLog(request, response))
    const script = scriptOf(request)
    script.interim_responses?.forEach(interim => sendInterim(response, interim))
    if (script.response_pause) setTimeout(() => respond(request, response), script.response_pause * 1000)
    else respond(request, response)
  })
  const listen = server.listen.bind(server)
  server.listen = () => listen(0, '127.0.0.1')
  return server
}

await importFromSuite('server/server.mjs')
