// The example files that the package brings.
import { raw } from "/page/server.js";

const NAMES = { shop: "shop.csv", stocks: "stocks.csv", weather: "weather.csv", poems: "poems.txt", pairs: "pairs.tsv", digits: "digits.flac", recordings: "vowels.wav" };

export async function sample(name, signal) {
  return { name: NAMES[name], text: await (await raw("/v1/samples/" + encodeURIComponent(name), signal)).text() };
}

// All recordings of an example, with their transcripts.
export async function archive(name) {
  const file = name + ".zip";
  return { name: file, file: new File([await (await raw(`/v1/samples/${name}/archive`)).blob()], file, { type: "application/zip" }) };
}

export async function recording(name) {
  const found = await (await raw("/v1/samples/" + name)).blob();
  return new File([found], NAMES[name], { type: found.type });
}
