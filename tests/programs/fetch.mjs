// node fetch.mjs HOST PORT URL...: fetch URLs one after another through a proxy. Prints status, ok and text of each.
import http from "node:http";
import tls from "node:tls";

const [host, port, ...urls] = process.argv.slice(2);

// like the ProxyAgent of undici: open a tunnel to every origin
function connectThroughProxy({ protocol, hostname, port: originPort }, done) {
  const path = `${hostname}:${originPort || (protocol === "https:" ? 443 : 80)}`;
  http.request({ host, port, method: "CONNECT", path })
    .on("error", done)
    .on("connect", (_, socket) => {
      if (protocol !== "https:") return done(null, socket);
      const secured = tls.connect({ socket, servername: hostname }, () => done(null, secured)).on("error", done);
    })
    .end();
}

await fetch("data:,"); // Node creates its agent at the first fetch
const Agent = globalThis[Symbol.for("undici.globalDispatcher.1")].constructor;
const dispatcher = new Agent({ connect: connectThroughProxy });
for (const url of urls) {
  const response = await fetch(url, { dispatcher });
  console.log(JSON.stringify({ status: response.status, ok: response.ok, text: await response.text() }));
}
await dispatcher.close();
