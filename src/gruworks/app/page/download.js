// Files for the visitor: CSV, pictures, sounds, and text for the clipboard.
import { colour } from "/page/svg.js";

export function save(name, content, type) {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// Rows of cells as CSV, with a byte-order mark, so that spreadsheets read UTF-8; no cell can begin a formula.
export function csv(rows) {
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    const plain = typeof value === "number" || !/^[=+\-@\t\r]/.test(text) ? text : "'" + text;
    return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };
  return "\ufeff" + rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

// All drawings in `place`, one below the other, as a PNG.
export async function png(place, name) {
  const parts = await Promise.all([...place.querySelectorAll("svg.drawing, .heat canvas")].map(picture));
  const width = Math.max(...parts.map((one) => one.width)), height = parts.reduce((sum, one) => sum + one.height + 16, 0);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const paper = canvas.getContext("2d");
  paper.fillStyle = colour("card");
  paper.fillRect(0, 0, width, height);
  let y = 8;
  for (const one of parts) { paper.drawImage(one.image, 0, y, one.width, one.height); y += one.height + 16; }
  save(name, await new Promise((done) => canvas.toBlob(done, "image/png")));
}

async function picture(node) {
  if (node instanceof HTMLCanvasElement) return { image: node, width: node.width, height: node.height };
  const [width, height] = ["width", "height"].map((one) => 2 * Number(node.getAttribute(one)));
  const markup = new XMLSerializer().serializeToString(node).replace(/var\(--([\w-]+)\)/g, (_, one) => colour(one).replaceAll('"', "'"));
  const image = new Image();
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(markup);
  await image.decode();
  return { image, width, height };
}

// Samples between -1 and 1 as a WAV file of 16 bits.
export function wav(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const ascii = (at, text) => [...text].forEach((sign, i) => view.setUint8(at + i, sign.charCodeAt(0)));
  const fields = [[4, 36 + 2 * samples.length], [16, 16], [24, rate], [28, 2 * rate], [40, 2 * samples.length]];
  ascii(0, "RIFF"); ascii(8, "WAVEfmt "); ascii(36, "data");
  fields.forEach(([at, value]) => view.setUint32(at, value, true));
  [[20, 1], [22, 1], [32, 2], [34, 16]].forEach(([at, value]) => view.setUint16(at, value, true));
  samples.forEach((one, i) => view.setInt16(44 + 2 * i, Math.max(-1, Math.min(1, one)) * 32767, true));
  return new Blob([view], { type: "audio/wav" });
}
