// Fetches a URL twice over HTTP/2 with Node's http2, and prints the responses.
// Arguments: host and port of the proxy, the URL. An https URL is fetched through a CONNECT tunnel.

import http from 'node:http';
import http2 from 'node:http2';
import tls from 'node:tls';

const [host, port, text] = process.argv.slice(2);
const url = new URL(text);

const tunnel = () => new Promise((resolve, reject) => {
  const request = http.request({ host, port, method: 'CONNECT', path: url.host });
  request.on('connect', (_response, socket) => resolve(
    tls.connect({ socket, servername: url.hostname, ALPNProtocols: ['h2'] }),
  ));
  request.on('error', reject);
  request.end();
});

const session = url.protocol === 'https:'
  ? http2.connect(url, { createConnection: await (async (socket) => () => socket)(await tunnel()) })
  : http2.connect(`http://${host}:${port}`);

const fetchOnce = () => new Promise((resolve, reject) => {
  const request = session.request({ ':authority': url.host, ':scheme': url.protocol.slice(0, -1), ':path': url.pathname });
  let status;
  let body = '';
  request.setEncoding('utf8');
  request.on('response', (headers) => { status = headers[':status']; });
  request.on('data', (chunk) => { body += chunk; });
  request.on('end', () => resolve({ status, text: body }));
  request.on('error', reject);
  request.end();
});

console.log(JSON.stringify(await fetchOnce()));
console.log(JSON.stringify(await fetchOnce()));
session.close();
