"use strict";

// What needs this script stays hidden without it; what it enriches is complete before.
const part = (id) => document.getElementById(id);
const data = (id) => JSON.parse(part(id).textContent);
const opened = (id) => {
  const found = part(id);
  if (found) found.hidden = false;
  return found;
};

function element(parent, name, attributes = {}, text = "") {
  const made = document.createElementNS(parent.namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return parent.appendChild(made);
}

const tuned = (label) => (label.startsWith("A_") ? label.slice(2) : null);

// A_V as the paper sets it.
function named(parent, label) {
  const own = tuned(label);
  if (own === null) return parent.append(label);
  element(parent, "i", {}, "A");
  element(parent, "sub", {}, own);
}

const percent = (share) => (share < 1 && share >= 0.995 ? "more than 99 %"
  : `${Math.round(100 * share)} %`);

// Keyboard and touch come with radio buttons.
function choices(parent, title, labels, chosen) {
  const group = element(parent, "fieldset", { class: "choices" });
  element(group, "legend", {}, title);
  return labels.map((label, place) => {
    const box = element(group, "label");
    const input = element(box, "input", { type: "radio", name: title, value: place });
    const face = element(box, "span");
    label(face);
    input.addEventListener("change", () => chosen(place));
    return input;
  });
}

// The lattice at any threshold, drawn as Figure 7 draws it.
function lattice() {
  const place = opened("lattice");
  if (!place) return;
  const { lattices, colours, threshold } = data("lattice-data");
  const [letter, line, edge, node, room] = [8.5, 20, 64, 90, 110];
  const svg = place.querySelector("svg");
  const slider = place.querySelector("input");
  const said = place.querySelector("output");
  const [down, up] = place.querySelectorAll("button");
  const width = (name) => letter * (tuned(name) ? 1.4 + 0.75 * tuned(name).length
    : 0.5 + name.length);

  function lines(names) {
    if (!names.length) return [];
    const count = Math.max(1, Math.floor(room / Math.max(...names.map(width))));
    const rows = [];
    for (let i = 0; i < names.length; i += count) rows.push(names.slice(i, i + count));
    return rows;
  }

  const long = (row) => row.reduce((sum, name) => sum + width(name) + 6, 4);

  // Places in pixels, with room for the labels between the layers.
  function plan({ concepts }) {
    const tall = (y, key) => line * Math.max(0, ...concepts
      .filter((one) => one.y === y).map((one) => lines(one[key]).length));
    const levels = [...new Set(concepts.map((one) => one.y))].sort((a, b) => b - a);
    const heights = new Map();
    let y = 16 + tall(levels[0], "objects");
    levels.forEach((level, i) => {
      if (i) {
        y += Math.max(90, edge + tall(levels[i - 1], "attributes")
          + tall(level, "objects"));
      }
      heights.set(level, y);
    });
    const x = concepts.map((one) => one.x);
    const unit = Math.max(node, ...concepts.flatMap((one) =>
      [...lines(one.objects), ...lines(one.attributes)].map(long))) + 8;
    const least = Math.min(...x);
    return {
      width: (Math.max(...x) - least + 1) * unit,
      height: y + 16 + tall(levels.at(-1), "attributes"),
      at: (one) => [(one.x - least + 0.5) * unit, heights.get(one.y)],
    };
  }

  function label(names, [x, y], above) {
    lines(names).forEach((row, number, rows) => {
      const base = above ? y - 14 - line * (rows.length - 1 - number)
        : y + 24 + line * number;
      element(svg, "rect", {
        x: x - long(row) / 2, y: base - 14, width: long(row), height: line - 1, rx: 3,
        fill: above ? "#fff" : "#ececec", stroke: "#c9c9c9", "stroke-width": 0.7,
      });
      const text = element(svg, "text", { x, y: base, "text-anchor": "middle" });
      let shift = 0;
      row.forEach((name, at) => {
        const own = tuned(name);
        const first = element(text, "tspan", {
          dx: at ? 6 : 0, dy: -shift, fill: colours[own ?? name],
          "font-style": own || name.length === 1 ? "italic" : "normal",
        }, own ? "A" : name);
        shift = 0;
        if (own) {
          shift = 4;
          element(text, "tspan", { dy: shift, fill: first.getAttribute("fill"),
            "font-size": "75%" }, own);
        }
      });
    });
  }

  function draw(one) {
    const { width: wide, height: tall, at } = plan(one);
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${wide} ${tall}`);
    svg.setAttribute("width", wide);
    svg.setAttribute("height", tall);
    for (const [high, low] of one.covers) {
      const [[x1, y1], [x2, y2]] = [high, low].map((i) => at(one.concepts[i]));
      element(svg, "line", { x1, y1, x2, y2, stroke: "#6b6b6b" });
    }
    for (const concept of one.concepts) {
      const [cx, cy] = at(concept);
      const bare = !concept.objects.length && !concept.attributes.length;
      element(svg, "circle", { cx, cy, r: 5, stroke: "#1a1a1a",
        fill: bare ? "#fff" : "#1a1a1a" });
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
    const found = lattices.findIndex(({ high }) => t <= high);
    const place = found < 0 ? lattices.length - 1 : found;
    const one = lattices[place];
    if (place !== current) draw(one);
    current = place;
    down.disabled = place === 0;
    up.disabled = place === lattices.length - 1;
    const count = one.concepts.length;
    said.textContent = `t = ${t.toFixed(3)}: ${count} concept${count === 1 ? "" : "s"}, `
      + `${one.chain ? "a chain" : "no chain"}; the same for `
      + `${one.low.toFixed(3)} < t ≤ ${one.high.toFixed(3)}`
      + (one.share === null ? "." : `, and found in ${percent(one.share)} of the resamples.`);
  }

  // No jumping page: as much room as the tallest lattice takes.
  const frame = svg.parentElement;
  frame.style.minHeight = `${Math.max(...lattices.map((one) => plan(one).height)) + 18}px`;
  slider.addEventListener("input", () => move(slider.valueAsNumber));
  const middle = ({ low, high }) => (low + high) / 2;
  down.addEventListener("click", () => move(middle(lattices[current - 1])));
  up.addEventListener("click", () => move(middle(lattices[current + 1])));
  move(threshold);
}

// A cell of Table 2 tells its values to mouse, finger and keyboard.
function cells() {
  const said = opened("cell-values");
  if (!said) return;
  const table = part("table-2").querySelector("table");
  const rows = [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll("td")]);
  const start = said.textContent;
  table.setAttribute("role", "grid");
  let current = rows[0][0];

  function tell(cell) {
    table.querySelector(".told")?.classList.remove("told");
    cell?.classList.add("told");
    said.textContent = cell?.dataset.values ?? start;
  }

  function reach(cell) {
    current.tabIndex = -1;
    current = cell;
    current.tabIndex = 0;
  }

  rows.forEach((row, y) => row.forEach((cell, x) => {
    cell.removeAttribute("title");
    cell.setAttribute("role", "gridcell");
    cell.tabIndex = -1;
    cell.addEventListener("mouseenter", () => tell(cell));
    cell.addEventListener("focus", () => { reach(cell); tell(cell); });
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
    tell(table.contains(document.activeElement) ? document.activeElement : null));
  current.tabIndex = 0;
}

// One image, seen through any autoencoder, flipping to the original and back.
function flip() {
  const place = opened("flip");
  if (!place) return;
  const { images, sources, small } = data("flip-data");
  const picture = place.querySelector("img");
  const button = place.querySelector("button");
  const name = place.querySelector("output");
  const controls = place.querySelector(".controls");
  picture.classList.toggle("pixels", small);
  let [image, source, other] = [0, sources.length - 1, 0];

  function draw() {
    const { name: truth, pictures } = images[image];
    picture.src = pictures[source];
    picture.alt = source ? `${truth}, reconstructed by ${sources[source]}`
      : `${truth}, the original`;
    name.replaceChildren(`${truth}: `);
    named(name, sources[source]);
    shown[image].checked = true;
    through[source].checked = true;
  }

  function choose(place) {
    if (source) other = source;
    source = place;
    draw();
  }

  function turn() {
    choose(source ? 0 : other || Math.min(1, sources.length - 1));
  }

  const shown = choices(controls, "Image", images.map(({ name: truth, pictures }) =>
    (face) => element(face, "img", { src: pictures[0], alt: truth,
      class: small ? "pixels" : "" })), (place) => { image = place; draw(); });
  const through = choices(controls, "Seen through", sources.map((label) =>
    (face) => named(face, label)), choose);
  button.addEventListener("click", turn);
  picture.addEventListener("click", turn);
  draw();
}

// The comparison, by verdict.
function verdicts() {
  const place = opened("verdicts");
  if (!place) return;
  const tables = part("table-comparison");
  const rows = [...tables.querySelectorAll("tr[data-verdict]")];
  const known = ["", ...new Set(rows.map((row) => row.dataset.verdict))];
  const inputs = choices(place, "Show", known.map((verdict) =>
    (face) => face.append(verdict || "all")), (at) => {
    for (const row of rows) row.hidden = at > 0 && row.dataset.verdict !== known[at];
    for (const body of tables.querySelectorAll("tbody")) {
      const own = [...body.querySelectorAll("tr[data-verdict]")];
      body.hidden = own.every((row) => row.hidden);
    }
  });
  inputs[0].checked = true;
}

for (const enliven of [lattice, cells, flip, verdicts]) enliven();
