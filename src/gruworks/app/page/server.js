// Requests to the server: JSON, server-sent events over POST, uploads; errors with their code and place.
let known = null;

// An error: a code for which the page has a sentence, with its values; or the server's sentence.
export class Said extends Error {
  constructor({ message = "", code = "", values = {}, where = "", status = 0 }) {
    super(message || code);
    Object.assign(this, { told: message, code, values, where: where ?? "", status });
  }
}

// fetch, with every failure as one error. The token is in a cookie; without it the server shows its sign-in page.
async function request(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Said({ code: "no-server" });
  }
  if (answer.status === 401) {
    location.reload();
    return new Promise(() => {});
  }
  if (!answer.ok) {
    const told = await answer.json().catch(() => null);
    throw new Said({ ...told?.error, status: answer.status });
  }
  return answer;
}

const json = (body) => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

export const raw = (path, signal) => request(path, { signal });
export const get = async (path) => (await request(path)).json();
export const remove = async (path) => (await request(path, { method: "DELETE" })).json();
export const post = async (path, body, signal) => (await request(path, { ...json(body), signal })).json();

export async function upload(path, form, signal) {
  return (await request(path, { method: "POST", body: form, signal })).json();
}

// Events as they come: yields {kind, data}.
export async function* events(path, body, signal) {
  const answer = await request(path, body === null ? { signal } : { ...json(body), signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    waiting += value;
    const whole = waiting.split("\n\n");
    waiting = whole.pop();
    for (const one of whole) {
      const kind = /^event: (.*)$/m.exec(one)?.[1];
      const data = /^data: (.*)$/m.exec(one)?.[1];
      if (kind && data) yield { kind, data: JSON.parse(data) };
    }
  }
}

export async function models(anew = false) {
  if (!known || anew) known = await get("/v1/models").catch((error) => ({ models: [], forms: {}, limits: {}, allow_fit: false, error }));
  return known;
}
