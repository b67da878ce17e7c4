// Clients: which hosts they could not use because they do not accept the certificate, and how they are set up.

import { element, show, table } from "./elements.js";
import { number } from "./units.js";

const ALL_ADDRESSES = /^(0\.0\.0\.0|\[::\])(?=:)/; // whoever has opened this page has one of them

/** Show the clients. */
export function showClients({ stats, status }) {
  const rows = Object.entries(stats.distrusted).map(([host, connections]) => [host, number(connections)]);
  show("distrusted", rows, () => table("Connections that clients ended because they do not accept the certificate that this proxy made for a host", ["Host", ">Connections"], rows, "Every client that connected accepts the certificates of this proxy."));
  const isEdge = status.sites.length > 0;
  show("set-up", [status.listen, isEdge], () => isEdge ? element("p", {}, "Clients of an edge need no certificate of this proxy, and no setting.") : [
    element("p", {}, "The set-up page has the CA certificate, and lines for systems and programs. It is at the address of the proxy, and through the proxy at http://secondhand.internal/:"),
    element("ul", {}, ...status.listen.map((each) => each.replace(ALL_ADDRESSES, location.hostname)).map((each) => element("li", {}, element("code", {}, `http://${each}/`)))),
    element("p", {}, "For programs on this machine, this says which of them work, and what helps the others:"),
    element("pre", {}, "secondhand doctor"),
  ]);
}
