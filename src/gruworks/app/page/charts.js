// Plotly charts in the page's colours and fonts, redrawn when those change. Plotly is loaded at the first chart.
let loading = null;
const drawn = new Map();

function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "/plotly.js";
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("Plotly is missing"));
    document.head.append(script);
  });
  return loading;
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

export function faded(name, share) {
  const hex = colour(name).slice(1);
  const [r, g, b] = [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return `rgba(${r},${g},${b},${share})`;
}

function layout(own) {
  const axis = { gridcolor: colour("line"), zerolinecolor: colour("line"), linecolor: colour("line"), tickcolor: colour("line"), automargin: true };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: colour("sans"), size: 13, color: colour("soft") },
    margin: { l: 48, r: 8, t: 8, b: 40 }, hovermode: "closest",
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { family: colour("sans"), color: colour("ink") } },
    legend: { orientation: "h", x: 0, y: -0.16, font: { size: 12 } },
    ...own, xaxis: { ...axis, ...own.xaxis }, yaxis: { ...axis, ...own.yaxis },
  };
}

// `what` is a function, so that it uses the current colours.
export async function draw(place, what) {
  drawn.set(place, what);
  const found = await plotly();
  const [data, own] = what();
  await found.react(place, data, layout(own), { displayModeBar: false, responsive: true });
}

addEventListener("look-changed", () => {
  for (const [place, what] of drawn) {
    if (!place.isConnected) drawn.delete(place);
    else if (place.offsetParent) draw(place, what);
  }
});

// Gates are between 0 and 1, states between -1 and 1; the colour of the card stands for 0.
export function heat(values, labels, low) {
  const scale = low < 0
    ? [[0, colour("second")], [0.5, colour("card")], [1, colour("accent")]]
    : [[0, colour("card")], [1, colour("accent")]];
  const units = values[0].map((_, at) => at + 1);
  const turned = units.map((_, unit) => values.map((row) => row[unit]));
  return {
    type: "heatmap", z: turned, x: labels.map((_, at) => at), y: units, zmin: low, zmax: 1, colorscale: scale, xgap: labels.length > 32 ? 0 : 1, ygap: units.length > 32 ? 0 : 1,
    colorbar: { thickness: 8, outlinewidth: 0, len: 0.9, tickfont: { size: 11 } },
    hovertemplate: "%{customdata} · %{y}: %{z:.3f}<extra></extra>", customdata: units.map(() => labels),
  };
}

// Tick distance for about eight ticks.
export function tickStep(units) {
  if (units <= 12) return 1;
  const power = 10 ** Math.floor(Math.log10(units / 8));
  return [1, 2, 5, 10].find((one) => one * power >= units / 8) * power;
}

const width = (label) => [...label].reduce((sum, sign) => sum + (sign > "\u2e7f" ? 2 : 1), 1);

export function steps(labels) {
  const every = Math.ceil((labels.length * Math.max(...labels.map((label) => width(String(label))))) / 40);
  const at = labels.map((_, i) => i).filter((i) => i % every === 0);
  return { tickvals: at, ticktext: at.map((i) => escaped(labels[i])), showgrid: false, tickangle: 0 };
}

// Plotly interprets some HTML in labels: user text is escaped.
export function escaped(text) {
  return String(text).replace(/[&<>]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[one]);
}
