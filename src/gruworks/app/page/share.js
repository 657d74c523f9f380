// What can be done with an answer: copy it, save it, keep its state as a link, ask for it over HTTP.
import { make } from "/page/parts.js";
import { hush, tell } from "/page/words.js";

// `offers` are [key, action]; `http` gives {path, body} or {path, form}, of which the visitor's own data are no part.
export function share(offers, http) {
  const said = make("span", { className: "note", role: "status" });
  const button = ([key, action]) => make("button", { type: "button", className: "small", say: key, onclick: () => act(action, said) });
  const link = ["copyLink", () => navigator.clipboard.writeText(location.origin + "/" + location.hash)];
  const call = http && make("details", { className: "call" }, make("summary", { say: "overHttp" }), make("div", {}, calling(http)));
  return make("div", { className: "share" }, make("div", { className: "row" }, ...[...offers, link].filter(Boolean).map(button), said), call);
}

async function act(action, said) {
  hush(said);
  try {
    const done = await action();
    tell(said, done === undefined ? "copied" : "saved");
  } catch {
    tell(said, "notCopied");
  }
  setTimeout(() => hush(said), 4000);
}

export const copy = (text) => ["copyText", () => navigator.clipboard.writeText(text())];
export const saves = (key, work) => [key, async () => (await work()) ?? true];

function calling(http) {
  const text = make("pre", { textContent: curl(http()), tabIndex: 0 });
  return make("div", {}, text, make("button", { type: "button", className: "small", say: "copyText", onclick: () => navigator.clipboard.writeText(text.textContent) }));
}

// The command that asks for the same. A file is named, its content is not in it.
export function curl({ path, body, file, form }) {
  const head = `curl ${location.origin}${path} -H "Authorization: Bearer $GRUWORKS_TOKEN"`;
  const quoted = (text) => "'" + text.replaceAll("'", "'\\''") + "'";
  if (form) return [head, ...Object.entries(form).map(([name, value]) => `-F ${quoted(`${name}=${value}`)}`)].join(" \\\n  ");
  const json = "-H 'content-type: application/json'";
  const clean = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  if (!file) return `${head} \\\n  ${json} -d ${quoted(JSON.stringify(clean))}`;
  return `jq -Rs ${quoted(`{${file.field}: .} + ${JSON.stringify(clean)}`)} ${quoted(file.name)} | \\\n  ${head} \\\n  ${json} -d @-`;
}
