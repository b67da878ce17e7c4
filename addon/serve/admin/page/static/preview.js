// A look at a stored content: as text, or as an image of pixels. Nothing of it becomes HTML or a script.

import { get } from "./api.js";
import { element } from "./elements.js";

/** Return a button that shows the content of a stored response in its place. */
export function preview({ url, sha256, size }) {
  if (!size) return null;
  const place = element("div", { class: "preview" });
  const button = element("button", { type: "button", click: () => load(place, button, { url, sha256 }) }, "Show the content");
  place.append(button);
  return place;
}

async function load(place, button, wanted) {
  button.disabled = true;
  try {
    const shown = contentOf(await get("/preview", wanted));
    place.replaceChildren(...shown);
    shown[0].focus();
  } catch (error) {
    button.disabled = false;
    place.replaceChildren(button, element("p", { role: "alert" }, `The content cannot be shown: ${error.message}`));
  }
}

function contentOf({ media_type: type, text, image, note }) {
  const words = [type, note].filter(Boolean).join(". ");
  const label = `Stored content${type ? `, ${type}` : ""}`;
  return [
    element("p", { class: "note", tabindex: "-1" }, words || "Of no type that its origin named."),
    text === null ? null : element("pre", { tabindex: "0", role: "region", "aria-label": label }, text),
    image === null ? null : picture(type, image, label),
  ].filter(Boolean);
}

/** Return an image of bytes. An image element runs nothing, whatever the bytes are. */
function picture(type, base64, label) {
  const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type }));
  const made = element("img", { alt: label, src: address });
  const done = () => URL.revokeObjectURL(address);
  made.addEventListener("load", done);
  made.addEventListener("error", () => {
    done();
    made.replaceWith(element("p", { class: "note" }, "The browser cannot show this image."));
  });
  return made;
}
