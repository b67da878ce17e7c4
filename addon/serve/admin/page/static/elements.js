// Makes elements. Text becomes text nodes and attribute values, and is never parsed as HTML: URLs and fields come from
// strangers. The policy of the page forbids the parsing, too (require-trusted-types-for).

const SVG = "http://www.w3.org/2000/svg";

/** Return an element. Children are nodes or text; attributes whose value is null or false are left out. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Return an element of a drawing. */
export function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null && value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined).map(asNode));
  return made;
}

const asNode = (child) => (child instanceof Node ? child : document.createTextNode(String(child)));

/** Return the element with an id. */
export const byId = (id) => document.getElementById(id);

const shown = new Map();

/**
 * Put new content into an element, unless `key` says that it is the same as before. While the focus or a selection is
 * inside, the old content stays: nobody loses the place at which they read or type. Return false if it stays for that.
 */
export function show(id, key, make) {
  const place = byId(id), text = JSON.stringify(key);
  if (shown.get(id) === text) return true;
  if (place.contains(document.activeElement) || isSelected(place)) return false;
  shown.set(id, text);
  place.replaceChildren(...[make()].flat().filter(Boolean));
  return true;
}

function isSelected(place) {
  const selection = document.getSelection();
  return selection && !selection.isCollapsed && place.contains(selection.anchorNode);
}

/**
 * Return a table. A heading that begins with ">" is that of a column of numbers.
 *
 * Each row is a list of text or nodes; a row may also be {cells, class}.
 */
export function table(caption, headings, rows, empty = "None.") {
  if (!rows.length) return element("p", { class: "note" }, empty);
  const columns = headings.map((each) => ({ label: each.replace(/^>/, ""), number: each.startsWith(">") }));
  const head = columns.map((each) => element("th", { scope: "col", class: each.number && "number" }, each.label));
  const body = rows.map((row) => {
    const cells = (row.cells ?? row).map((cell, place) => {
      const { label, number } = columns[place];
      return element("td", { "data-label": label || null, class: number && "number" }, cell ?? "");
    });
    return element("tr", { class: row.class ?? null }, ...cells);
  });
  return element(
    "table", { class: "cards" },
    caption ? element("caption", {}, caption) : null,
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
  );
}

/** Return a list of figures: [name, number, unit, remark]; the first one is the largest if `first` is set. */
export function figures(rows, first = false) {
  return element("dl", { class: "figures" }, ...rows.map(([name, number, unit, remark], place) =>
    element("div", { class: first && place === 0 && "first" },
      element("dt", {}, name),
      element("dd", {}, number, unit ? element("span", { class: "unit" }, `\u00a0${unit}`) : null,
        remark ? element("small", {}, remark) : null))));
}
