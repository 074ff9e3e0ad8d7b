"use strict";

const NARROW = 520; // pixels of a chart, below which its labels are shorter
const config = JSON.parse(document.getElementById("chart-config").textContent);

// Charts

function configFor(place) {
  if (place.clientWidth >= NARROW) return config;
  return {
    ...config,
    axis: { ...config.axis, labelFontSize: 11, titleFontSize: 11 },
    axisX: { ...config.axisX, tickCount: 3 },
    axisY: { ...config.axisY, labelLimit: 134 },
  };
}

function withLogarithmicAxis(spec) {
  const changed = structuredClone(spec);
  for (const layer of changed.layer) {
    const x = layer.encoding.x;
    if (!x || !x.scale || x.scale.type !== "linear") continue;
    x.scale = { ...x.scale, type: "log", nice: true };
    delete x.scale.zero;
    const own = (layer.data ?? spec.data).name;
    const name = `${own}-above-zero-${x.field}`; // a logarithm of nothing would spoil the scale
    changed.datasets[name] = spec.datasets[own].filter((row) => row[x.field] > 0);
    layer.data = { name };
  }
  return changed;
}

async function specOf(figure) {
  const packed = atob(figure.querySelector("script").textContent);
  const bytes = new Blob([Uint8Array.from(packed, (sign) => sign.charCodeAt(0))]);
  return JSON.parse(await new Response(bytes.stream().pipeThrough(new DecompressionStream("deflate"))).text());
}

async function draw(figure) {
  const spec = await specOf(figure);
  const isLogarithmic = figure.querySelector("button.log")?.getAttribute("aria-pressed") === "true";
  const place = figure.querySelector(".chart");
  await vegaEmbed(place, isLogarithmic ? withLogarithmicAxis(spec) : spec, {
    mode: "vega-lite",
    renderer: "svg",
    ast: true, // expressions are interpreted: the page's policy allows no code made of text
    actions: false,
    defaultStyle: false,
    config: configFor(place),
    tooltip: { disableDefaultStyle: true, theme: "page" },
  });
  figure.removeAttribute("aria-busy");
}

async function drawAll() {
  if (!window.DecompressionStream) {
    document.getElementById("outdated").hidden = false;
    return;
  }
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    await draw(figure);
    await new Promise((resume) => setTimeout(resume)); // the page answers between two charts
  }
  document.documentElement.dataset.drawn = "true";
}

for (const button of document.querySelectorAll("button.log")) {
  button.addEventListener("click", async () => {
    button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
    await draw(button.closest("figure"));
  });
}

// Print: a chart that is higher than the paper is cut between its rows

const SLICE = 0.45; // height of a slice by its width: a third of a sheet

function cuts(svg) {
  const { top, height } = svg.getBoundingClientRect();
  const scale = svg.viewBox.baseVal.height / height;
  const labels = [...svg.querySelectorAll(".role-axis-label text")].map((text) => text.getBoundingClientRect());
  labels.sort((one, other) => one.top - other.top);
  const found = [0];
  let last = 0;
  for (const [place, label] of labels.entries()) {
    const before = place ? (labels[place - 1].bottom + label.top) / 2 : label.top;
    if ((label.bottom - top) * scale - found.at(-1) > SLICE * svg.viewBox.baseVal.width) found.push(last);
    if (!place || label.top > labels[place - 1].bottom) last = (before - top) * scale;
  }
  return [...found, svg.viewBox.baseVal.height];
}

function splitForPrint(figure) {
  const svg = figure.querySelector(".chart svg");
  const { width } = svg.viewBox.baseVal;
  const borders = cuts(svg);
  svg.firstElementChild.id = `${figure.id}-marks`;
  const slices = borders.slice(1).map((end, place) => {
    const slice = svg.cloneNode(false);
    slice.classList.add("slice");
    slice.setAttribute("height", end - borders[place]);
    slice.setAttribute("viewBox", [0, borders[place], width, end - borders[place]].join(" "));
    slice.innerHTML = `<use href="#${figure.id}-marks"/>`;
    return slice;
  });
  svg.after(...slices);
}

addEventListener("beforeprint", () => document.querySelectorAll("figure.tall:not([aria-busy])").forEach(splitForPrint));
addEventListener("afterprint", () => document.querySelectorAll("svg.slice").forEach((slice) => slice.remove()));

// Tables

const SCALES = { h: 3600, min: 60, s: 1, ms: 1e-3, µs: 1e-6, GiB: 2 ** 30, MiB: 2 ** 20, KiB: 1024, B: 1 };
const PART = String.raw`(\d+(?:\.\d+)?)(?:\s*(${Object.keys(SCALES).join("|")})(?![\p{L}]))?`;
const FIRST = new RegExp(String.raw`^[^\d]*?([−+-]?)${PART}`, "u");
const NEXT = new RegExp(String.raw`\s+${PART}`, "uy");

function magnitude(text) {
  const plain = text.replaceAll(",", "");
  const first = FIRST.exec(plain);
  if (!first) return null;
  const [whole, sign, figure, unit] = first;
  let value = Number(figure) * (SCALES[unit] ?? 1);
  NEXT.lastIndex = whole.length;
  for (let part = unit && NEXT.exec(plain); part?.[2]; part = NEXT.exec(plain)) {
    value += Number(part[1]) * SCALES[part[2]]; // such as the seconds of "1 min 3 s"
  }
  return sign === "−" || sign === "-" ? -value : value;
}

function compareCells(one, other) {
  const [left, right] = [magnitude(one), magnitude(other)];
  if (left !== null && right !== null) return left - right;
  if (left === null && right === null) return one.localeCompare(other);
  return left === null ? 1 : -1; // cells without a figure come last
}

function sortBy(header) {
  const descending = header.getAttribute("aria-sort") === "ascending";
  for (const other of header.parentElement.children) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = header.closest("table").tBodies[0];
  const text = (row) => row.cells[header.cellIndex].textContent;
  const isWords = header.classList.contains("left");
  const order = isWords ? (a, b) => a.localeCompare(b) : compareCells;
  const rows = [...body.rows].sort((a, b) => order(text(a), text(b)) * (descending ? -1 : 1));
  body.append(...rows);
}

function csvCell(text) {
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text; // a spreadsheet would compute it
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function csvOf(table) {
  return [...table.rows].map((row) => [...row.cells].map((cell) => csvCell(cell.textContent)).join(",") + "\r\n").join("");
}

function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

for (const button of document.querySelectorAll("button.sort")) {
  button.addEventListener("click", () => sortBy(button.closest("th")));
}
for (const button of document.querySelectorAll("button.csv")) {
  const name = button.dataset.table;
  button.addEventListener("click", () => download(`${name}.csv`, csvOf(document.querySelector(`#${name} table`))));
}

drawAll();
