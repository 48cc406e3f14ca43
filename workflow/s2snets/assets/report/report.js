"use strict";

// Elements that need this script are hidden without it; the rest of the page is complete.
const byId = (id) => document.getElementById(id);
const data = (id) => JSON.parse(byId(id).textContent);
const unhide = (id) => {
  const hidden = byId(id);
  if (hidden) hidden.hidden = false;
  return hidden;
};

function element(parent, name, attributes = {}, text = "") {
  const child = document.createElementNS(parent.namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) child.setAttribute(key, value);
  child.textContent = text;
  return parent.appendChild(child);
}

// The network that an autoencoder is tuned for: V of A_V.
const tunedFor = (label) => (label.startsWith("A_") ? label.slice(2) : null);

// Append a label; A_V gets a subscript, as in the paper.
function appendLabel(parent, label) {
  const network = tunedFor(label);
  if (network === null) return parent.append(label);
  element(parent, "i", {}, "A");
  element(parent, "sub", {}, network);
}

const percent = (share) => (share < 1 && share >= 0.995 ? "more than 99 %"
  : `${Math.round(100 * share)} %`);

// A group of radio buttons, which support keyboard and touch.
function choices(parent, title, labels, onChoice) {
  const group = element(parent, "fieldset", { class: "choices" });
  element(group, "legend", {}, title);
  return labels.map((appendTo, index) => {
    const box = element(group, "label");
    const input = element(box, "input", { type: "radio", name: title, value: index });
    appendTo(element(box, "span"));
    input.addEventListener("change", () => onChoice(index));
    return input;
  });
}

// The lattice at any threshold, drawn like Figure 7.
function lattice() {
  const figure = unhide("lattice");
  if (!figure) return;
  const { lattices, colours, threshold } = data("lattice-data");
  const [letter, line, edge, node, room] = [8.5, 20, 64, 90, 110];
  const svg = figure.querySelector("svg");
  const slider = figure.querySelector("input");
  const output = figure.querySelector("output");
  const [down, up] = figure.querySelectorAll("button");
  const width = (name) => letter * (tunedFor(name) ? 1.4 + 0.75 * tunedFor(name).length
    : 0.5 + name.length);

  function lines(names) {
    if (!names.length) return [];
    const count = Math.max(1, Math.floor(room / Math.max(...names.map(width))));
    const rows = [];
    for (let i = 0; i < names.length; i += count) rows.push(names.slice(i, i + count));
    return rows;
  }

  const rowWidth = (row) => row.reduce((sum, name) => sum + width(name) + 6, 4);

  // Positions in pixels, with room for the labels between the layers.
  function layout({ concepts }) {
    const labelHeight = (y, key) => line * Math.max(0, ...concepts
      .filter((one) => one.y === y).map((one) => lines(one[key]).length));
    const levels = [...new Set(concepts.map((one) => one.y))].sort((a, b) => b - a);
    const heights = new Map();
    let y = 16 + labelHeight(levels[0], "objects");
    levels.forEach((level, i) => {
      if (i) {
        y += Math.max(90, edge + labelHeight(levels[i - 1], "attributes")
          + labelHeight(level, "objects"));
      }
      heights.set(level, y);
    });
    const x = concepts.map((one) => one.x);
    const unit = Math.max(node, ...concepts.flatMap((one) =>
      [...lines(one.objects), ...lines(one.attributes)].map(rowWidth))) + 8;
    const least = Math.min(...x);
    return {
      width: (Math.max(...x) - least + 1) * unit,
      height: y + 16 + labelHeight(levels.at(-1), "attributes"),
      at: (one) => [(one.x - least + 0.5) * unit, heights.get(one.y)],
    };
  }

  function label(names, [x, y], above) {
    lines(names).forEach((row, number, rows) => {
      const base = above ? y - 14 - line * (rows.length - 1 - number)
        : y + 24 + line * number;
      element(svg, "rect", {
        x: x - rowWidth(row) / 2, y: base - 14, width: rowWidth(row), height: line - 1, rx: 3,
        fill: above ? "#fff" : "#ececec", stroke: "#c9c9c9", "stroke-width": 0.7,
      });
      const text = element(svg, "text", { x, y: base, "text-anchor": "middle" });
      let shift = 0;
      row.forEach((name, at) => {
        const network = tunedFor(name);
        const first = element(text, "tspan", {
          dx: at ? 6 : 0, dy: -shift, fill: colours[network ?? name],
          "font-style": network || name.length === 1 ? "italic" : "normal",
        }, network ? "A" : name);
        shift = 0;
        if (network) {
          shift = 4;
          element(text, "tspan", { dy: shift, fill: first.getAttribute("fill"),
            "font-size": "75%" }, network);
        }
      });
    });
  }

  function draw(one) {
    const { width: svgWidth, height, at } = layout(one);
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${svgWidth} ${height}`);
    svg.setAttribute("width", svgWidth);
    svg.setAttribute("height", height);
    for (const [high, low] of one.covers) {
      const [[x1, y1], [x2, y2]] = [high, low].map((i) => at(one.concepts[i]));
      element(svg, "line", { x1, y1, x2, y2, stroke: "#6b6b6b" });
    }
    for (const concept of one.concepts) {
      const [cx, cy] = at(concept);
      const unlabelled = !concept.objects.length && !concept.attributes.length;
      element(svg, "circle", { cx, cy, r: 5, stroke: "#1a1a1a",
        fill: unlabelled ? "#fff" : "#1a1a1a" });
      label(concept.objects, [cx, cy], true);
      label(concept.attributes, [cx, cy], false);
    }
    svg.setAttribute("aria-label", `Concept lattice, from the top: ${[...one.concepts]
      .sort((a, b) => b.y - a.y)
      .map(({ objects, attributes }) => objects.concat(attributes).join(" ") || "no name")
      .join("; ")}.`);
  }

  let current = -1;
  function move(t) {
    slider.value = t;
    slider.setAttribute("aria-valuetext", `t = ${t.toFixed(3)}`);
    const first = lattices.findIndex(({ high }) => t <= high);
    const index = first < 0 ? lattices.length - 1 : first;
    const one = lattices[index];
    if (index !== current) draw(one);
    current = index;
    down.disabled = index === 0;
    up.disabled = index === lattices.length - 1;
    const count = one.concepts.length;
    output.textContent = `t = ${t.toFixed(3)}: ${count} concept${count === 1 ? "" : "s"}, `
      + `${one.chain ? "a chain" : "no chain"}; the same for `
      + `${one.low.toFixed(3)} < t ≤ ${one.high.toFixed(3)}`
      + (one.share === null ? "." : `, and found in ${percent(one.share)} of the draws.`);
  }

  // Reserve the height of the tallest lattice, so that the page does not jump.
  const frame = svg.parentElement;
  frame.style.minHeight = `${Math.max(...lattices.map((one) => layout(one).height)) + 18}px`;
  slider.addEventListener("input", () => move(slider.valueAsNumber));
  const middle = ({ low, high }) => (low + high) / 2;
  down.addEventListener("click", () => move(middle(lattices[current - 1])));
  up.addEventListener("click", () => move(middle(lattices[current + 1])));
  move(threshold);
}

// Show the values of a cell of Table 2 on mouse, touch and keyboard focus.
function cells() {
  const output = unhide("cell-values");
  if (!output) return;
  const table = byId("table-2").querySelector("table");
  const rows = [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll("td")]);
  const start = output.textContent;
  table.setAttribute("role", "grid");
  let current = rows[0][0];

  function showValues(cell) {
    table.querySelector(".selected")?.classList.remove("selected");
    cell?.classList.add("selected");
    output.textContent = cell?.dataset.values ?? start;
  }

  function makeCurrent(cell) {
    current.tabIndex = -1;
    current = cell;
    current.tabIndex = 0;
  }

  rows.forEach((row, y) => row.forEach((cell, x) => {
    cell.removeAttribute("title");
    cell.setAttribute("role", "gridcell");
    cell.tabIndex = -1;
    cell.addEventListener("mouseenter", () => showValues(cell));
    cell.addEventListener("focus", () => { makeCurrent(cell); showValues(cell); });
    cell.addEventListener("click", () => cell.focus());
    cell.addEventListener("keydown", (event) => {
      const [dy, dx] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1],
        ArrowRight: [0, 1] }[event.key] ?? [];
      if (dx === undefined) return;
      event.preventDefault();
      rows[y + dy]?.[x + dx]?.focus();
    });
  }));
  table.addEventListener("mouseleave", () =>
    showValues(table.contains(document.activeElement) ? document.activeElement : null));
  current.tabIndex = 0;
}

// One image as reconstructed by any autoencoder, switching to the original and back.
function flip() {
  const figure = unhide("flip");
  if (!figure) return;
  const { images, sources, small } = data("flip-data");
  const picture = figure.querySelector("img");
  const button = figure.querySelector("button");
  const name = figure.querySelector("output");
  const controls = figure.querySelector(".controls");
  picture.classList.toggle("pixels", small);
  let [image, source, previous] = [0, sources.length - 1, 0];

  function draw() {
    const { name: truth, pictures } = images[image];
    picture.src = pictures[source];
    picture.alt = source ? `${truth}, reconstructed by ${sources[source]}`
      : `${truth}, the original`;
    name.replaceChildren(`${truth}: `);
    appendLabel(name, sources[source]);
    imageInputs[image].checked = true;
    sourceInputs[source].checked = true;
  }

  function choose(index) {
    if (source) previous = source;
    source = index;
    draw();
  }

  function toggle() {
    choose(source ? 0 : previous || Math.min(1, sources.length - 1));
  }

  const imageInputs = choices(controls, "Image", images.map(({ name: truth, pictures }) =>
    (button) => element(button, "img", { src: pictures[0], alt: truth,
      class: small ? "pixels" : "" })), (index) => { image = index; draw(); });
  const sourceInputs = choices(controls, "Seen through", sources.map((label) =>
    (button) => appendLabel(button, label)), choose);
  button.addEventListener("click", toggle);
  picture.addEventListener("click", toggle);
  draw();
}

// Filter the comparison by verdict.
function verdicts() {
  const controls = unhide("verdicts");
  if (!controls) return;
  const tables = byId("table-comparison");
  const rows = [...tables.querySelectorAll("tr[data-verdict]")];
  const known = ["", ...new Set(rows.map((row) => row.dataset.verdict))];
  const inputs = choices(controls, "Show", known.map((verdict) =>
    (button) => button.append(verdict || "all")), (index) => {
    for (const row of rows) row.hidden = index > 0 && row.dataset.verdict !== known[index];
    for (const body of tables.querySelectorAll("tbody")) {
      const inBody = [...body.querySelectorAll("tr[data-verdict]")];
      body.hidden = inBody.every((row) => row.hidden);
    }
  });
  inputs[0].checked = true;
}

for (const setUp of [lattice, cells, flip, verdicts]) setUp();
