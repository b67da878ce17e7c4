// An https server that speaks HTTP/2 only. It prints its port, and answers with what it received.
import { readFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'

const pem = readFileSync(process.argv[2])
const server = createSecureServer({ key: pem, cert: pem, allowHTTP1: false })
server.on('stream', async (stream, headers) => {
  let size = 0
  for await (const chunk of stream) size += chunk.length
  const fields = { ':status': 200, 'content-type': 'application/json', 'cache-control': 'max-age=60' }
  stream.respond(fields, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-trailer': 'value' }))
  stream.end(JSON.stringify({ method: headers[':method'], path: headers[':path'], size }))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
