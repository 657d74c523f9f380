// SVG elements, colours of the page, and drawings that are renewed when their width, the look or the language changes.
const SVG = "http://www.w3.org/2000/svg";
const drawn = new Map();
const widths = new ResizeObserver((changes) => changes.forEach(({ target }) => redraw(target)));

export function shape(tag, given = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(given)) if (value !== undefined && value !== null) node.setAttribute(name, value);
  node.append(...children.filter(Boolean));
  return node;
}

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
export const rgb = (name) => [1, 3, 5].map((at) => parseInt(colour(name).slice(at, at + 2), 16));
export const ink = (name) => `var(--${name})`;

// Draw in `place` now, and anew when need be; `work` gets the width in pixels.
export function draw(place, work) {
  drawn.set(place, { work, width: 0 });
  widths.observe(place);
  redraw(place, true);
}

function redraw(place, anew = false) {
  const found = drawn.get(place);
  if (!found) return;
  if (!place.isConnected && !anew) { drawn.delete(place); widths.unobserve(place); return; }
  const width = place.clientWidth;
  if (!width || (!anew && width === found.width)) return;
  found.width = width;
  found.work(width);
}

addEventListener("look-changed", () => [...drawn.keys()].forEach((place) => (place.isConnected ? redraw(place, true) : drawn.delete(place))));

// Draw anew what a place shows.
export const renew = (place) => redraw(place, true);

// A label beside the pointer, inside `place`.
export function tip(place) {
  const node = document.createElement("div");
  node.className = "tip";
  node.hidden = true;
  place.append(node);
  return {
    show(x, y, lines) {
      node.replaceChildren(...lines.map((text) => Object.assign(document.createElement("div"), { textContent: text })));
      node.hidden = false;
      const most = place.clientWidth - node.offsetWidth;
      node.style.left = Math.max(0, Math.min(x + 12, most)) + "px";
      node.style.top = Math.max(0, y - node.offsetHeight - 8) + "px";
    },
    hide() { node.hidden = true; },
  };
}
