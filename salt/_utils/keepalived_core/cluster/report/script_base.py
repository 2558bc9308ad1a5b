"""The page's script, what all of it uses: the data, elements, times, signs of verdicts.

Text reaches the page by text nodes and attributes only, never as HTML.
"""

TEXT = r"""
const sheet = JSON.parse(document.getElementById("sheet").textContent);
const texts = sheet.texts;
const SVG = "http://www.w3.org/2000/svg";
const LENGTH = sheet.time - sheet.from;

function $(id) {
  return document.getElementById(id);
}

// An element with attributes and children; a child that is a text becomes a text node.
function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false && child !== "") {
      made.append(child instanceof Node ? child : String(child));
    }
  }
  return made;
}

function fill(parent, ...children) {
  parent.replaceChildren(...children.flat(Infinity).filter((each) => each || each === 0));
}

function button(label, action, attributes) {
  const made = el("button", {type: "button", ...attributes}, label);
  made.addEventListener("click", action);
  return made;
}

// Milliseconds since the beginning of the sheet, as UTC.
function utc(offset, decimals) {
  const text = new Date(sheet.from + offset).toISOString();
  return text.slice(0, 10) + " " + text.slice(11, decimals ? 23 : 19);
}

// The same time in a sentence: without the day where it is the day of another time.
function clock(offset, other) {
  const text = utc(offset, true);
  return text.slice(0, 10) === utc(other, true).slice(0, 10) ? text.slice(11) : text;
}

function short(value, digits) {
  return value.toFixed(digits).replace(/\.?0+$/, "");
}

// Seconds, as exact as a person can use.
function span(seconds) {
  if (seconds === null || seconds === undefined) return "\u2013";
  if (seconds < 10) return short(seconds, 3) + " s";
  if (seconds < 60) return short(seconds, 1) + " s";
  const sizes = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
  const parts = [];
  let left = Math.floor(seconds);
  for (const [name, size] of sizes) {
    if (left >= size) parts.push(Math.floor(left / size) + " " + name);
    left %= size;
  }
  return parts.slice(0, 2).join(" ");
}

function count(number, word, many) {
  const shown = number.toLocaleString("en");
  return shown + " " + (number === 1 ? word : many || word + "s");
}

function words(kind) {
  return String(kind).replaceAll("_", " ");
}

const SIGNS = {good: "\u2713", warn: "!", bad: "\u2715", unknown: "?"};
const KIND_LEVELS = {degraded: "warn", failover: "warn", flapping: "warn"};

function levelOf(verdict) {
  if (verdict === null || verdict === undefined) return "unknown";
  return ["good", "warn", "bad", "unknown"][sheet.retcodes[verdict] ?? 3];
}

function kindLevel(kind) {
  return KIND_LEVELS[kind] || "bad";
}

function badge(text, level) {
  const sign = SIGNS[level];
  const mark = sign ? el("i", {"aria-hidden": "true"}, sign) : null;
  return el("span", {class: "badge " + (level || "")}, mark, text);
}

// Colours as the style has them now; a canvas knows no variables.
const probe = el("span", {hidden: true});
document.body.append(probe);
function colors(names) {
  const found = {};
  for (const name of names) {
    probe.style.color = "var(--" + name + ")";
    found[name] = getComputedStyle(probe).color;
  }
  return found;
}

// Columns of the incidents by name, and each incident as what the page needs of it.
const at = Object.fromEntries(sheet.columns.map((name, place) => [name, place]));
const KINDS = Object.fromEntries(sheet.kinds.map((each, place) => [each.kind, {...each, place}]));
const incidents = (sheet.incidents || []).map((row, number) => ({
  number,
  row,
  id: row[at.id],
  cluster: texts[row[at.cluster]],
  instance: texts[row[at.instance]],
  kind: texts[row[at.kind]],
  opened: row[at.opened],
  open: row[at.resolved] < 0,
  end: row[at.resolved] < 0 ? LENGTH : row[at.resolved],
  seconds: row[at.seconds],
  without: row[at.without],
  several: row[at.several],
  cause: texts[row[at.cause]],
  nodes: row[at.nodes].map((place) => texts[place]),
  instances: row[at.instances] ? row[at.instances].map((place) => texts[place])
    : [texts[row[at.instance]]],
  planned: row[at.planned] === 1,
}));
const lanes = sheet.timeline.lanes.map((lane) => ({...lane, count: lane.spans.length / 5}));

function later(action, wait) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), wait);
  };
}

function onFrame(action) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; action(); });
  };
}
"""
