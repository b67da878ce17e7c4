// Fetches URLs in all ways that Node has, and prints status and text of each. Arguments: an http URL, an https URL, and
// a host to connect to directly, or nothing.
import http from "node:http";
import { connect } from "node:http2";
import https, { Agent } from "node:https";
import net from "node:net";

const [plain, secure, around] = process.argv.slice(2);

const get = (module, url, options) =>
  new Promise((resolve, reject) => {
    const read = (response) => {
      let text = "";
      response.on("data", (data) => (text += data)).on("end", () => resolve(`${response.statusCode} ${text}`));
    };
    module.get(url, options, read).on("error", reject);
  });

const getByHttp2 = ({ origin, pathname }) =>
  new Promise((resolve, reject) => {
    const session = connect(origin).on("error", reject);
    const request = session.request({ ":path": pathname }).setEncoding("utf8").on("error", reject);
    let status;
    let text = "";
    request.on("response", (headers) => (status = headers[":status"]));
    request.on("data", (data) => (text += data));
    request.on("end", () => session.close(() => resolve(`${status} ${text}`)));
  });

const requests = {
  fetch: () => fetch(secure).then(async (response) => `${response.status} ${await response.text()}`),
  "https, global agent": () => get(https, secure, {}),
  "https, own agent": () => get(https, secure, { agent: new Agent({ keepAlive: false }) }),
  "https, no agent": () => get(https, secure, { agent: false }),
  "http, own agent": () => get(http, plain, { agent: new http.Agent() }),
  "http2, https": () => getByHttp2(new URL(secure)),
  "http2, http": () => getByHttp2(new URL(plain)),
};
for (const [name, request] of Object.entries(requests)) {
  console.log(`${name}: ${await request().catch((error) => error)}`);
}
if (around) net.connect(9, around).on("error", () => {});
process.exit();
