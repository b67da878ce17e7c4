// node reflecting_server.mjs: a server whose responses contain all that a request can change. Prints its URL.
import http from "node:http";

const server = http.createServer((request, response) => {
  const { headers } = request;
  const scheme = headers["x-forwarded-proto"] ?? "http";
  const host = headers["x-forwarded-host"] ?? headers.host;
  const lines = [`${request.method} ${scheme}://${host}${headers["x-original-url"] ?? request.url}`];
  for (const name of Object.keys(headers).sort()) lines.push(`${name}: ${headers[name]}`);
  const content = lines.join("\n");
  response.writeHead(200, { "Cache-Control": "max-age=600", "Content-Length": Buffer.byteLength(content) });
  response.end(content);
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
