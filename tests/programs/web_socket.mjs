// Opens a WebSocket over HTTP/2 (RFC 8441) through a CONNECT tunnel with Node's http2, and prints what comes back.
// Arguments: host and port of the proxy, the https URL of a WebSocket that sends back every message.

import http from 'node:http';
import http2 from 'node:http2';
import tls from 'node:tls';

const [host, port, text] = process.argv.slice(2);
const url = new URL(text);

const socket = await new Promise((resolve, reject) => {
  const request = http.request({ host, port, method: 'CONNECT', path: url.host });
  request.on('connect', (_response, inside) => resolve(
    tls.connect({ socket: inside, servername: url.hostname, ALPNProtocols: ['h2'] }),
  ));
  request.on('error', reject);
  request.end();
});

// a masked text message: the mask is zero
const message = (words) => Buffer.concat([Buffer.from([0x81, 0x80 | words.length, 0, 0, 0, 0]), Buffer.from(words)]);

const session = http2.connect(url, { createConnection: () => socket });
await new Promise((resolve) => { session.once('remoteSettings', resolve); });
const stream = session.request({
  ':method': 'CONNECT', ':protocol': 'websocket', ':authority': url.host, ':scheme': 'https', ':path': url.pathname,
  'sec-websocket-version': '13',
}, { endStream: false });
const status = await new Promise((resolve) => { stream.once('response', (headers) => resolve(headers[':status'])); });
stream.write(message('hello'));
const echoed = await new Promise((resolve) => { stream.once('data', (data) => resolve(data.subarray(2).toString())); });
console.log(JSON.stringify({ enabled: session.remoteSettings.enableConnectProtocol, status, echoed }));
stream.end();
session.destroy();
