// Elements, cards and labelled fields.
import { say, tell } from "./words.js";

export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "say") tell(node, value);
    else if (name === "label") { node.dataset.sayLabel = value; node.setAttribute("aria-label", say(value)); }
    else if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export const head = (title, about) => make("div", { className: "head" }, make("h1", { say: title }), make("p", { say: about }));

export const field = (key, input) => make("label", {}, make("span", { say: key }), input);

export const choice = (options) => make("select", {}, ...options.map(([value, key, text]) => {
  return key ? make("option", { value, say: key }) : make("option", { value, textContent: text });
}));

export const board = (form, ...others) => make("div", { className: "board" }, form, make("div", { className: "result" }, ...others));

// A place to drop a file on; `take` gets the file.
export function dropPlace(key, accept, take) {
  const input = make("input", { type: "file", accept, onchange: () => { if (input.files[0]) take(input.files[0]); input.value = ""; } });
  const place = make("label", { className: "drop" }, make("span", { say: key }), input);
  for (const kind of ["dragover", "dragleave", "drop"]) {
    place.addEventListener(kind, (event) => {
      event.preventDefault();
      place.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
    });
  }
  return place;
}
