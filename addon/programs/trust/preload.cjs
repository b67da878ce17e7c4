// Makes Node use HTTP_PROXY, HTTPS_PROXY and NO_PROXY for requests of http and https through all agents, for http2, and
// for fetch. Newer releases do that by themselves, for fetch and the global agents only. Connections that go around the
// proxy nevertheless are written to the file that DIRECT_CONNECTIONS_OF_SECONDHAND names, one `host:port` in each line.
"use strict";

const { http_proxy: plainProxy, https_proxy: secureProxy, no_proxy: direct = "" } = process.env;
const directLog = process.env.DIRECT_CONNECTIONS_OF_SECONDHAND;

if (plainProxy || secureProxy) {
  const fs = require("node:fs");
  const http = require("node:http");
  const http2 = require("node:http2");
  const https = require("node:https");
  const net = require("node:net");
  const tls = require("node:tls");
  const { syncBuiltinESMExports } = require("node:module");
  const { Duplex } = require("node:stream");

  const LOOPBACK = /^(localhost|127\..*|::1|::ffff:127\..*|0\.0\.0\.0|::|)$/;
  const exceptions = direct.split(",").map((name) => name.trim().toLowerCase().replace(/^\*?\./, "")).filter(Boolean);
  const isDirect = (host) => exceptions.some((name) => name === "*" || host === name || host.endsWith(`.${name}`));
  const bareHost = (host) => String(host || "localhost").replace(/^\[|\]$/g, "").toLowerCase();
  const proxyFor = (isSecure, host) => (isDirect(host) ? undefined : isSecure ? secureProxy : plainProxy);
  const serverName = (options, host) => options.servername || (net.isIP(host) ? "" : host);

  // The proxy has neither the CAs that a program itself names, nor its client certificate.
  const hasOwnCertificates = (options) => Boolean(options?.ca || options?.cert || options?.pfx);

  // Requests to the proxy itself must not go through the proxy.
  const toProxy = new http.Agent();
  toProxy.createConnection = net.createConnection;

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

  // Calls done(error, socket) with a connection through the proxy, with TLS if isSecure.
  function open(isSecure, proxy, options, done) {
    const host = bareHost(options.hostname || options.host);
    const port = options.port || (isSecure ? 443 : 80);
    tunnel(proxy, host, port, (error, socket) => {
      if (error || !isSecure) return done(error, socket);
      const servername = serverName(options, host);
      const inside = tls.connect({ ...options, path: undefined, host, port, socket, servername });
      inside.once("error", done).once("secureConnect", () => done(null, inside));
    });
  }

  // The requests of an agent whose class does not replace createConnection.
  function patchAgents({ prototype }, isSecure) {
    const createDirect = prototype.createConnection;
    prototype.createConnection = function createConnection(options, done) {
      const host = bareHost(options?.hostname || options?.host);
      const isOther = this?.options?.proxyEnv || options?.socketPath || hasOwnCertificates(options); // proxyEnv: Node does it
      const proxy = isOther ? undefined : proxyFor(isSecure, host);
      if (!proxy || typeof done !== "function") return createDirect.apply(this, arguments);
      open(isSecure, proxy, options, done);
    };
  }
  patchAgents(http.Agent, false);
  patchAgents(https.Agent, true);

  // A stream that can be written to before its tunnel is open, since http2 wants its connection at once.
  class Tunnel extends Duplex {
    constructor(proxy, host, port) {
      super();
      tunnel(proxy, host, port, (error, socket) => {
        if (error || this.destroyed) return this.destroy(error || undefined);
        this.socket = socket;
        socket.on("data", (data) => this.push(data) || socket.pause());
        socket.on("end", () => this.push(null));
        socket.on("error", (fault) => this.destroy(fault)).on("close", () => this.destroy());
        this.emit("tunnel");
      });
    }

    whenOpen(action) {
      if (this.socket) action();
      else this.once("tunnel", action);
    }

    _write(data, encoding, done) {
      this.whenOpen(() => this.socket.write(data, encoding, done));
    }

    _final(done) {
      this.whenOpen(() => this.socket.end(done));
    }

    _read() {
      this.socket?.resume();
    }

    _destroy(error, done) {
      this.socket?.destroy();
      done(error);
    }
  }

  const connectHttp2 = http2.connect;
  http2.connect = function connect(authority, options, listener) {
    if (typeof options === "function") return http2.connect(authority, undefined, options);
    const url = typeof authority === "string" ? new URL(authority) : authority;
    const isSecure = (url.protocol || options?.protocol || "https:") === "https:";
    const host = bareHost(url.hostname || url.host);
    const port = url.port || (isSecure ? 443 : 80);
    const proxy = options?.createConnection || hasOwnCertificates(options) ? undefined : proxyFor(isSecure, host);
    if (!proxy) return connectHttp2.call(this, authority, options, listener);
    const createConnection = () => {
      const socket = new Tunnel(proxy, host, port);
      const servername = serverName(options || {}, host);
      return isSecure ? tls.connect({ ALPNProtocols: ["h2"], ...options, host, port, socket, servername }) : socket;
    };
    return connectHttp2.call(this, authority, { ...options, createConnection }, listener);
  };

  const [major, minor] = process.versions.node.split(".").map(Number);
  const fetchUsesProxy = major >= 24 || (major === 22 && minor >= 21);
  if (!fetchUsesProxy) {
    // Node creates the dispatcher of fetch at the first fetch; before that, its class is not available.
    const dispatcher = Symbol.for("undici.globalDispatcher.1");
    const firstFetch = globalThis.fetch;
    globalThis.fetch = function fetch(...request) {
      globalThis.fetch = firstFetch;
      firstFetch("data:,").catch(() => {});
      const Agent = globalThis[dispatcher].constructor;
      const connect = (options, done) => {
        const isSecure = options.protocol === "https:";
        const host = bareHost(options.hostname || options.host);
        const proxy = proxyFor(isSecure, host);
        if (proxy) return open(isSecure, proxy, options, done);
        const port = options.port || (isSecure ? 443 : 80);
        const target = { ...options, path: undefined, host, port, servername: serverName(options, host) };
        const socket = isSecure ? tls.connect(target) : net.connect(target);
        socket.once("error", done).once(isSecure ? "secureConnect" : "connect", () => done(null, socket));
      };
      globalThis[dispatcher] = new Agent({ connect });
      return firstFetch(...request);
    };
  }

  // Writes down what goes around the proxy: everything but the proxy, this machine and the hosts of NO_PROXY.
  if (directLog) {
    const proxies = [plainProxy, secureProxy].filter(Boolean).map((proxy) => new URL(proxy).host);
    const connectSocket = net.Socket.prototype.connect;
    net.Socket.prototype.connect = function connect(...args) {
      const first = Array.isArray(args[0]) ? args[0][0] : args[0];
      const { host, port, path } =
        first && typeof first === "object" ? first : { port: first, host: typeof args[1] === "string" ? args[1] : undefined };
      const name = bareHost(host);
      const isPath = path !== undefined && path !== null && port === undefined;
      if (!isPath && !LOOPBACK.test(name) && !isDirect(name) && !proxies.includes(`${name}:${port}`)) {
        try {
          fs.appendFileSync(directLog, `${name}:${port}\n`);
        } catch {
          // another user may be running this, who cannot write there
        }
      }
      return connectSocket.apply(this, args);
    };
  }
  syncBuiltinESMExports();
}
