// Makes releases of Node without NODE_USE_ENV_PROXY use HTTP_PROXY, HTTPS_PROXY and NO_PROXY, for fetch and for
// requests of http and https through their global agents.
"use strict";

const [major, minor] = process.versions.node.split(".").map(Number);
const usesProxyVariables = major >= 24 || (major === 22 && minor >= 21);
const { http_proxy: plainProxy, https_proxy: secureProxy, no_proxy: direct = "" } = process.env;

if (!usesProxyVariables && (plainProxy || secureProxy)) {
  const http = require("node:http");
  const https = require("node:https");
  const net = require("node:net");
  const tls = require("node:tls");

  const exceptions = direct.split(",").map((name) => name.trim().toLowerCase()).filter(Boolean);
  const isDirect = (host) => exceptions.some((name) => name === "*" || host === name || host.endsWith(`.${name}`));

  // requests to the proxy itself must not go through the proxy
  const toProxy = new http.Agent();

  // Calls done(error, socket) with a tunnel through the proxy.
  function tunnel(proxy, host, port, done) {
    const { hostname, port: proxyPort } = new URL(proxy);
    const path = `${net.isIPv6(host) ? `[${host}]` : host}:${port}`;
    http
      .request({ agent: toProxy, host: hostname, port: proxyPort, method: "CONNECT", path, headers: { host: path } })
      .on("error", done)
      .on("connect", ({ statusCode }, socket) => {
        if (statusCode === 200) return done(null, socket);
        socket.destroy();
        done(new Error(`the proxy answered ${statusCode} to CONNECT ${path}`));
      })
      .end();
  }

  // Calls done(error, socket) with a connection to the host and port of the options, with TLS if isSecure.
  function open(isSecure, options, done) {
    const host = String(options.hostname || options.host || "localhost").replace(/^\[|\]$/g, "").toLowerCase();
    const port = options.port || (isSecure ? 443 : 80);
    const proxy = isSecure ? secureProxy : plainProxy;
    const secured = (socket) => {
      const servername = options.servername || (net.isIP(host) ? "" : host);
      const inside = tls.connect({ ...options, path: undefined, host, port, socket, servername });
      inside.once("error", done).once("secureConnect", () => done(null, inside));
    };
    if (proxy && !isDirect(host)) {
      tunnel(proxy, host, port, (error, socket) => (error || !isSecure ? done(error, socket) : secured(socket)));
    } else if (isSecure) {
      secured();
    } else {
      const socket = net.connect({ ...options, path: undefined, host, port });
      socket.once("error", done).once("connect", () => done(null, socket));
    }
  }

  function globalAgent(Agent, isSecure) {
    const agent = new Agent({ keepAlive: true });
    const createDirect = agent.createConnection;
    agent.createConnection = function (options, done) {
      if (options.socketPath) return createDirect.call(this, options, done);
      open(isSecure, options, done);
    };
    return agent;
  }
  http.globalAgent = globalAgent(http.Agent, false);
  https.globalAgent = globalAgent(https.Agent, true);

  // Node creates the dispatcher of fetch at the first fetch; before that, its class is not available.
  const dispatcher = Symbol.for("undici.globalDispatcher.1");
  const firstFetch = globalThis.fetch;
  globalThis.fetch = function fetch(...request) {
    globalThis.fetch = firstFetch;
    firstFetch("data:,").catch(() => {});
    const Agent = globalThis[dispatcher].constructor;
    const connect = (options, done) => open(options.protocol === "https:", options, done);
    globalThis[dispatcher] = new Agent({ connect });
    return firstFetch(...request);
  };
}
