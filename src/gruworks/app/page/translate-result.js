// Translations line by line, with candidates, attention and remarks on the sentence.
import { make } from "/page/parts.js";
import { png, save } from "/page/download.js";
import { heatMap } from "/page/heat-map.js";
import { copy, saves, share } from "/page/share.js";
import { say } from "/page/words.js";

export function translated(lines, found, asked) {
  const text = () => found.map((one) => one.text).join("\n");
  const parts = found.map((one, at) => part(lines[at], one, found.length === 1));
  const node = make("div", { className: "result" }, make("div", { className: "card result" }, ...parts));
  node.firstChild.append(share([copy(text), saves("saveText", () => save("translation.txt", text() + "\n", "text/plain")), saves("savePng", () => png(node, "attention.png"))], () => ({ path: "/v1/translate", body: asked })));
  return node;
}

function part(line, found, open) {
  const { attention, alternatives, notes = [] } = found;
  const others = alternatives.map((one) => make("tr", {}, make("td", { textContent: one.text }), make("td", { className: "n note", textContent: one.score.toFixed(2) })));
  return make("section", { className: "translation" }, make("p", { className: "note", textContent: line }), make("p", { className: "sheet", textContent: found.text || "—" }),
    ...notes.map(({ code, values }) => make("p", { className: "note warn", textContent: say("note " + code, { ...values, found: say("language " + values.found), wanted: say("language " + values.wanted) }) })),
    ...rare(attention).map((word) => make("p", { className: "note warn", textContent: say("rareWord", { word }) })),
    others.length || attention ? make("details", { open }, make("summary", { say: "candidatesAndAttention" }), make("div", {},
      make("p", { className: "note", textContent: say("score", { score: found.score.toFixed(2) }) }),
      others.length ? make("div", {}, make("h3", { say: "alternatives" }), make("table", {}, make("tbody", {}, ...others))) : null,
      attention ? make("div", {}, make("h3", { say: "attention" }), map(attention)) : null)) : null);
}

// Words that are cut into single letters: the model has hardly met them.
function rare(attention) {
  const words = (attention?.source ?? []).join(" ").split("▁").map((word) => word.trim().split(" "));
  return words.filter((pieces) => pieces.length >= 3 && pieces.every((piece) => [...piece].length === 1)).map((pieces) => pieces.join(""));
}

function map({ source, target, weights }) {
  const plain = (pieces) => pieces.map((one) => one.replace("▁", " ").trim() || one);
  return heatMap(() => ({ values: weights, rows: plain(target), columns: plain(source), low: 0, square: true, rowName: "←" }), say("attention"));
}
