// Service worker: a copy of the playground's files, which serves them where the network does not.
const COPY = "gruworks-playground";
const FILES = [
  "./", "index.html", "playground.css", "mark.svg", "playground.js", "words.js", "words-en.js", "words-zh.js", "parts.js", "models.js",
  "gates.js", "forecast.js", "table.js", "lines.js", "verse.js", "rules.js", "digits.js", "sound.js", "tap.js", "build/models.json",
];

async function copy() {
  const place = await caches.open(COPY);
  await Promise.allSettled(FILES.map((file) => place.add(file)));
  const built = await place.match("build/models.json");
  if (built) await Promise.allSettled((await built.json()).files.map((file) => place.add(file)));
}

async function serve(request) {
  try {
    const answer = await fetch(request);
    if (answer.ok) (await caches.open(COPY)).put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await caches.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}

addEventListener("install", (event) => event.waitUntil(copy().then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const own = new URL(event.request.url).href.startsWith(registration.scope);
  if (own && event.request.method === "GET") event.respondWith(serve(event.request));
});
