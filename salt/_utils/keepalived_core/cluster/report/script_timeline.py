"""The page's script: moving about in the timeline, by pointer, wheel, fingers and keys."""

TEXT = r"""
const STRETCHES = [["1 minute", 6e4], ["10 minutes", 6e5], ["1 hour", 36e5], ["6 hours", 216e5],
  ["1 day", 864e5], ["1 week", 6048e5], ["30 days", 2592e6]];
let allGroups = [];
let shownLanes = 0;

function measure() {
  const box = $("lanes");
  paint.width = box.clientWidth;
  paint.narrow = paint.width < 620;
  const context = $("overview").getContext("2d");
  context.font = "600 " + FONT;
  let widest = 90;
  for (const row of line.rows) {
    const text = row.what === "lane" ? row.lane.node
      : (sheet.clusters.length > 1 ? row.group.cluster + " \u00b7 " : "") + row.group.instance;
    widest = Math.max(widest, context.measureText(text).width);
  }
  paint.label = paint.narrow ? 0 : Math.min(260, Math.ceil(widest) + 34);
  $("lanes-all").style.height = line.height + AXIS + "px";
  const most = Math.round(window.innerHeight * 0.66);
  paint.height = Math.min(line.height + AXIS, most);
}

function drawTimeline() {
  if (!paint.colors) newColors();
  const scrolled = $("lanes").scrollTop;
  drawRows(sized($("lanes-paper"), paint.width, paint.height), scrolled, paint.height);
  drawOverview();
  sayStretch();
}

// All of the time in one strip: where incidents are, and what part of it is shown below.
function drawOverview() {
  const canvas = $("overview");
  const width = canvas.clientWidth, height = 46;
  if (!width) return;  // it is not shown, as on paper
  const context = sized(canvas, width, height);
  const {from, scale} = overviewScale(width);
  // its incidents are drawn once: they are the same wherever one looks
  if (!paint.strip || paint.strip.wide !== width) {
    paint.strip = document.createElement("canvas");
    paint.strip.wide = width;
    drawStrip(sized(paint.strip, width, height), width, height, from, scale);
  }
  context.drawImage(paint.strip, 0, 0, width, height);
  const left = (line.from - from) * scale, right = (line.to - from) * scale;
  context.globalAlpha = 0.6;
  context.fillStyle = paint.colors.line;
  context.fillRect(0, 0, Math.max(0, left), height);
  context.fillRect(right, 0, width - right, height);
  context.globalAlpha = 1;
  context.strokeStyle = paint.colors.accent;
  context.lineWidth = 2;
  context.strokeRect(Math.max(1, left), 1, Math.max(4, Math.min(width - 2, right - left)),
    height - 2);
  context.lineWidth = 1;
}

function drawStrip(context, width, height, from, scale) {
  context.fillStyle = paint.colors.raised;
  context.fillRect(0, 0, width, height);
  const columns = new Map();
  for (const row of line.rows) {
    if (row.what !== "group") continue;
    for (const each of row.incidents) {
      const x = Math.round((each.opened - from) * scale);
      const level = kindColor(each.kind) === "bad" ? 2 : 1;
      const found = columns.get(x) || {level: 0, count: 0, end: x};
      found.level = Math.max(found.level, level);
      found.count += 1;
      found.end = Math.max(found.end, Math.round((each.end - from) * scale));
      columns.set(x, found);
    }
  }
  const most = Math.max(1, ...[...columns.values()].map((each) => each.count));
  for (const [x, each] of columns) {
    const tall = 8 + Math.round(22 * Math.sqrt(each.count / most));
    context.fillStyle = paint.colors[each.level === 2 ? "bad-line" : "warn-line"];
    context.fillRect(x, height - tall, 2, tall);
    context.globalAlpha = 0.25;
    context.fillRect(x, height - 6, Math.max(2, each.end - x), 6);
    context.globalAlpha = 1;
  }
  context.fillStyle = paint.colors.dim;
  const step = stepFor(width, LENGTH - line.first);
  for (let moment = Math.ceil((sheet.from + from) / step) * step; moment < sheet.time;
    moment += step) {
    const x = (moment - sheet.from - from) * scale;
    const text = tickText(moment, step);
    if (x + context.measureText(text).width + 6 < width) context.fillText(text, x + 3, 9);
    context.fillRect(x, 0, 1, 5);
  }
}

function overviewScale(width) {
  const all = (LENGTH - line.first) * 1.04;
  return {from: line.first - all * 0.02, scale: width / all};
}

const redraw = onFrame(drawTimeline);

const sayStretch = later(() => {
  const long = (line.to - line.from) / 1000;
  $("lanes-shown").textContent = "Shown: " + utc(line.from) + " to " + clock(line.to, line.from)
    .slice(0, -4) + " UTC (" + span(Math.round(long)) + ").";
  const list = $("stretch");
  const fits = STRETCHES.findIndex(([, length]) => Math.abs(long * 1000 / length - 1) < 0.02);
  list.value = fits >= 0 ? String(fits) : long * 1000 >= (LENGTH - line.first) ? "all" : "other";
  if ($("spans").open) showSpans();
}, 200);

function pick(found) {
  line.picked = found;
  const place = $("picked");
  if (!found) fill(place);
  else if (found.incident) {
    fill(place, incidentText(found.incident, ". ") + " ",
      button("Open " + found.incident.id, () => showDetails(found.incident), {class: "link"}));
  } else if (found.gap) fill(place, gapText(found.gap, ". "));
  else fill(place, spanText(found.lane, found.place, ". "));
  redraw();
}

// What lies under a point of the canvas.
function hit(x, y) {
  if (y < AXIS || x < paint.label) return null;
  const inside = y - AXIS + $("lanes").scrollTop;
  const row = line.rows.find((each) => inside >= each.y && inside < each.y + each.height);
  if (!row) return null;
  const time = toTime(x);
  const near = 3 * (line.to - line.from) / (paint.width - paint.label);
  if (row.what === "group") {
    const gap = row.group.gaps.find((each) => time >= each.from - near
      && time <= each.from + each.long + near);
    if (gap && inside - row.y > row.height - 9) return {gap};
    const incident = row.incidents.findLast((each) => time >= each.opened - near
      && time <= each.end + near);
    return incident ? {incident} : gap ? {gap} : null;
  }
  const {spans} = row.lane;
  const place = spanAfter(spans, time - near) * EACH;
  // of several that are near, a failure is what one aims at
  let best = -1;
  for (let one = place; one < spans.length && spans[one] <= time + near; one += EACH) {
    const word = texts[spans[one + STATE]];
    if (best < 0 || (word !== "MASTER" && word !== "BACKUP")) best = one;
  }
  return best < 0 ? null : {lane: row.lane, place: best};
}

function hover(event) {
  const tip = $("tip");
  const box = $("lanes-paper").getBoundingClientRect();
  const found = event && hit(event.clientX - box.left, event.clientY - box.top);
  tip.hidden = !found;
  if (!found) return;
  tip.textContent = found.incident ? incidentText(found.incident, "\n")
    : found.gap ? gapText(found.gap, "\n") : spanText(found.lane, found.place, "\n");
  const around = $("timeline-body").getBoundingClientRect();
  const x = Math.min(event.clientX - around.left + 14, around.width - tip.offsetWidth - 8);
  const y = event.clientY - around.top + 18;
  tip.style.transform = "translate(" + Math.max(4, x) + "px," + y + "px)";
}

// Goes to the incident before or after what is picked, or the middle of what is shown.
function step(forward) {
  const all = [];
  const seen = new Set();
  for (const row of line.rows) {
    for (const each of row.incidents || []) {
      if (!seen.has(each)) all.push(each);
      seen.add(each);
    }
  }
  all.sort((a, b) => a.opened - b.opened || a.number - b.number);
  if (!all.length) return;
  const now = all.indexOf(line.picked?.incident);
  const middle = (line.from + line.to) / 2;
  let next = now + (forward ? 1 : -1);
  if (now < 0) {
    next = forward ? all.findIndex((each) => each.opened > middle)
      : all.findLastIndex((each) => each.opened < middle);
    if (next < 0) next = forward ? all.length - 1 : 0;
  }
  goTo(all[Math.max(0, Math.min(all.length - 1, next))]);
}

function goTo(incident) {
  const long = Math.max(incident.end - incident.opened, 4000);
  look(incident.opened - long, incident.opened + 2 * long);
  const row = line.rows.find((each) => each.what === "group"
    && each.incidents.includes(incident));
  const box = $("lanes");
  if (row && (row.y < box.scrollTop || row.end > box.scrollTop + box.clientHeight - AXIS)) {
    box.scrollTop = row.y;
  }
  pick({incident});
}

function startPointers(canvas, moved, done) {
  const fingers = new Map();
  let start = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    if (fingers.size === 1) start = {x: event.clientX, y: event.clientY, far: false};
    canvas.classList.add("moving");
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    if (Math.abs(event.clientX - start.x) > 4) start.far = true;
    const other = [...fingers.values()].find((each) => each.pointerId !== event.pointerId);
    fingers.set(event.pointerId, event);
    moved(event, before, other);
  });
  const end = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    if (!fingers.size) {
      canvas.classList.remove("moving");
      if (event.type === "pointerup" && !start.far) done(event);
    }
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
}

const KEYS = {
  ArrowLeft: () => pan(-0.15), ArrowRight: () => pan(0.15),
  "+": () => zoom(0.6), "=": () => zoom(0.6), "-": () => zoom(1 / 0.6),
  "0": showAll, Home: () => look(line.first, line.first + line.to - line.from),
  End: () => look(LENGTH - (line.to - line.from), LENGTH),
  n: () => step(true), p: () => step(false),
};

function startMoving() {
  const box = $("lanes"), canvas = $("lanes-paper"), overview = $("overview");
  box.addEventListener("scroll", redraw);
  box.addEventListener("wheel", (event) => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (!event.ctrlKey && !event.metaKey && !sideways) return;
    event.preventDefault();
    const x = event.clientX - canvas.getBoundingClientRect().left;
    if (sideways && !event.ctrlKey) pan((event.deltaX || event.deltaY) / paint.width);
    else zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.008), toTime(x));
    redraw();
  }, {passive: false});
  startPointers(canvas, (event, before, other) => {
    hover(null);
    const wide = paint.width - paint.label;
    if (other) {
      const then = Math.abs(before.clientX - other.clientX);
      const now = Math.abs(event.clientX - other.clientX);
      const left = canvas.getBoundingClientRect().left;
      if (then > 8 && now > 8) zoom(then / now, toTime((event.clientX + other.clientX) / 2 - left));
    } else pan((before.clientX - event.clientX) / wide);
    redraw();
  }, (event) => {
    const place = canvas.getBoundingClientRect();
    pick(hit(event.clientX - place.left, event.clientY - place.top));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.classList.contains("moving")) hover(event);
  });
  canvas.addEventListener("pointerleave", () => hover(null));
  canvas.addEventListener("dblclick", (event) => {
    zoom(0.35, toTime(event.clientX - canvas.getBoundingClientRect().left));
    redraw();
  });
  const center = (event) => {
    const place = overview.getBoundingClientRect();
    const {from, scale} = overviewScale(place.width);
    const moment = from + (event.clientX - place.left) / scale;
    const half = (line.to - line.from) / 2;
    look(moment - half, moment + half);
    redraw();
  };
  startPointers(overview, center, center);
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && line.picked?.incident) showDetails(line.picked.incident);
    else if (KEYS[event.key]) KEYS[event.key]();
    else return;
    event.preventDefault();
    redraw();
  });
  const acts = {earlier: () => pan(-0.5), later: () => pan(0.5), in: () => zoom(0.5),
    out: () => zoom(2), before: () => step(false), after: () => step(true)};
  for (const [id, act] of Object.entries(acts)) {
    $(id).addEventListener("click", () => { act(); redraw(); });
  }
  for (const id of ["before", "after"]) $(id).hidden = !incidents.length;
  fill($("stretch"), el("option", {value: "all"}, "all"),
    STRETCHES.map(([name], place) => el("option", {value: place}, name)),
    el("option", {value: "other", disabled: true, hidden: true}, "other"));
  $("stretch").addEventListener("change", (event) => {
    const fits = STRETCHES[event.target.value];
    const end = Math.min(line.to, LENGTH);
    if (fits) look(end - fits[1], end);
    else showAll();
    redraw();
  });
}

function startLegend() {
  const found = [["MASTER"], ["BACKUP"], ["FAULT"], ["STOP", "stopped or removed"],
    ["", "not known"], ["planned", "planned"], ["gap", "no owner"], ["incident", "incident"]];
  const draw = () => {
    fill($("legend"), found.map(([what, name]) => {
      const canvas = el("canvas", {"aria-hidden": "true"});
      const context = sized(canvas, 30, 14);
      const states = ["MASTER", "BACKUP", "FAULT", "STOP"];
      if (states.includes(what)) drawState(context, what, 1, 28, 1, 12);
      else if (what === "planned") diamond(context, 15, 7);
      else if (what) {
        context.fillStyle = paint.colors[what === "gap" ? "bad" : "bad-line"];
        context.fillRect(1, what === "gap" ? 5 : 1, 28, what === "gap" ? 4 : 12);
      } else {
        context.strokeStyle = paint.colors.strong;
        context.setLineDash([1, 4]);
        context.beginPath();
        context.moveTo(0, 7);
        context.lineTo(30, 7);
        context.stroke();
      }
      return el("li", {}, canvas, name || what);
    }));
  };
  draw();
  return draw;
}

// The same in words: the states that are shown, 200 at most.
function showSpans() {
  const rows = [];
  let left = 0;
  for (const row of line.rows) {
    if (row.what !== "lane") continue;
    const {spans} = row.lane;
    for (let place = spanAfter(spans, line.from) * EACH; place < spans.length
      && spans[place] <= line.to; place += EACH) {
      if (rows.length === 200) {
        left += 1;
        continue;
      }
      const from = spans[place];
      rows.push(el("tr", {}, el("td", {class: "mono"}, utc(from, true)),
        el("td", {}, row.lane.node), el("td", {}, row.lane.instance),
        el("td", {}, texts[spans[place + STATE]]),
        el("td", {class: "n"}, span(spans[place + LONG] / 1000)),
        el("td", {}, texts[spans[place + REASON]]
          + (spans[place + PLANNED] ? " (planned)" : ""))));
    }
  }
  const titles = ["From (UTC)", "Node", "Instance", "State", "For", "Why it began"];
  fill($("spans").querySelector("div"), el("table", {},
    el("caption", {}, left ? "The first 200 of " + (200 + left) + "; zoom in for the others."
      : count(rows.length, "state") + " in the time shown."),
    el("thead", {}, el("tr", {}, titles.map((title) => el("th", {scope: "col",
      class: title === "For" ? "n" : ""}, title)))),
    el("tbody", {}, rows)));
}

function startTimeline() {
  allGroups = groups();
  fill($("missing"), sheet.missing.map((each) => el("li", {}, each.node + " (" + each.cluster
    + "): its rows are missing, " + each.why)));
  line.first = firstKnown();
  if (!allGroups.length) {
    $("timeline-body").hidden = true;
    document.querySelector(".zoom").hidden = true;
    $("timeline-none").hidden = false;
    $("timeline-none").textContent = "Nothing is known of this time: no hub has a row of it, and "
      + "no node told one.";
    return;
  }
  newColors();
  showAll();
  const fit = () => {
    shownLanes = layOut(allGroups, $("lanes").clientWidth < 620);
    paint.strip = null;
    measure();
    // a scroll bar takes its width from what is drawn
    measure();
    $("timeline-none").hidden = line.rows.length > 0;
    $("timeline-none").textContent = "No lane fits the filter.";
    $("lanes-paper").setAttribute("aria-label", count(shownLanes, "lane")
      + "; the table below has their states in words.");
    say("lanes", count(shownLanes, "lane"));
    drawTimeline();
  };
  listeners.push(() => { line.picked = null; fill($("picked")); fit(); });
  startMoving();
  const legend = startLegend();
  new ResizeObserver(onFrame(fit)).observe($("timeline-body"));
  $("spans").addEventListener("toggle", () => { if ($("spans").open) showSpans(); });
  const recolor = () => { newColors(); legend(); redraw(); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolor);
  document.addEventListener("themechange", recolor);
  addEventListener("beforeprint", () => {
    newColors();
    legend();
    paint.narrow = false;
    paint.width = 1000;
    paint.label = Math.max(paint.label, 150);
    layOut(allGroups, false);
    // a page and a half of paper at most
    paint.height = Math.min(line.height + AXIS, 2000);
    drawRows(sized($("lanes-paper"), paint.width, paint.height), 0, paint.height);
  });
  addEventListener("afterprint", () => {
    newColors();
    legend();
    fit();
  });
}
"""
