// The QR code with the address of the set-up page, where another device can use an address of the proxy.

import { get } from "./api.js";
import { drawn, element, show } from "./elements.js";
import { orSay } from "./message.js";

/** Ask for the code, and show it if there is one. */
export async function showQrCode() {
  await orSay(async () => {
    const { code } = await get("/set-up-code", { host: location.hostname });
    show("qr-code", code, () => code && [
      element("h2", {}, "Set up a telephone or another device"),
      element("p", {}, "Point its camera at this code: it opens ", element("code", {}, code.address), ", which has the certificate. The device has to be in the same network."),
      picture(code),
    ]);
  });
}

function picture({ address, size, path }) {
  return drawn("svg", { class: "code", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": `QR code with the address ${address}` },
    drawn("path", { d: `M0 0h${size}v${size}H0z`, fill: "#fff" }),
    drawn("path", { d: path, fill: "#000" }));
}
