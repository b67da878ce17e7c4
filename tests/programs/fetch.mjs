// node fetch.mjs HOST PORT URL...: fetch URLs one after another through the proxy; print status, ok and text of each.
import http from "node:http";
import tls from "node:tls";

const [host, port, ...urls] = process.argv.slice(2);

// the way that undici's ProxyAgent goes: a tunnel to every origin
function throughTheProxy({ protocol, hostname, port: originPort }, done) {
  const path = `${hostname}:${originPort || (protocol === "https:" ? 443 : 80)}`;
  http.request({ host, port, method: "CONNECT", path })
    .on("error", done)
    .on("connect", (_, socket) => {
      if (protocol !== "https:") return done(null, socket);
      const secured = tls.connect({ socket, servername: hostname }, () => done(null, secured)).on("error", done);
    })
    .end();
}

await fetch("data:,"); // Node makes its agent at the first fetch
const Agent = globalThis[Symbol.for("undici.globalDispatcher.1")].constructor;
const dispatcher = new Agent({ connect: throughTheProxy });
for (const url of urls) {
  const response = await fetch(url, { dispatcher });
  console.log(JSON.stringify({ status: response.status, ok: response.ok, text: await response.text() }));
}
await dispatcher.close();
