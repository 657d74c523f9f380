// The text of a file, of any usual encoding.
import { Said } from "/page/server.js";

const BOM = { "255,254": "utf-16le", "254,255": "utf-16be" };

// Throws an error with a sentence of the page where the file is too large or no text.
export async function textOf(file, known) {
  const most = known.limits.body;
  if (most && file.size > 0.95 * most) throw new Said({ code: "large-file", values: { most: Math.floor(most / 1e5) / 10 } });
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) throw new Said({ code: "workbook" });
  for (const encoding of [BOM[bytes.slice(0, 2)] ?? "utf-8", "gb18030", "windows-1252"]) {
    const text = decoded(bytes, encoding);
    if (text !== null) return text;
  }
  throw new Said({ code: "not-text" });
}

// GB 18030 decodes almost any bytes: the result counts only if most of what is not ASCII is Chinese.
function decoded(bytes, encoding) {
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    if (text.includes("\0")) return null;
    const foreign = text.match(/[^\x00-\x7f]/gu) ?? [];
    const chinese = foreign.filter((one) => /[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]/.test(one)).length;
    return encoding === "gb18030" && chinese < 0.8 * foreign.length ? null : text;
  } catch {
    return null;
  }
}
