// The models of build/, which `make playground` writes: their packages and what else is known of them.
const found = {};

export function facts(name) {
  return (found[name] ??= fetch(`build/${name}.json`).then((answer) => (answer.ok ? answer.json() : null)));
}

// null where the model isn't built
export async function model(name) {
  const built = await facts("models");
  if (!built?.models.includes(name)) return null;
  const { load } = await import(`./build/${name}/index.js`);
  return Promise.all([load(), facts(name)]);
}
