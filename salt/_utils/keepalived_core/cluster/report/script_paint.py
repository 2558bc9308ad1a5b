"""The page's script: the timeline on its canvas.  What differs differs in form, not in colour
alone."""

TEXT = r"""
const PALETTE = ["paper", "raised", "text", "dim", "line", "strong", "accent", "accent-back",
  "good", "good-line", "good-back", "warn", "warn-line", "bad", "bad-line", "bad-back"];
const FONT = '11px system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
const paint = {colors: null, hatch: {}, strip: null, label: 0, narrow: false, width: 0, height: 0};
const STEPS = [10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5,
  18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 12096e5, 2592e6];

function newColors() {
  paint.colors = colors(PALETTE);
  paint.hatch = {};
  paint.strip = null;
}

function stripes(context, name, back) {
  const key = name + back;
  if (!paint.hatch[key]) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 6;
    const on = tile.getContext("2d");
    if (back) {
      on.fillStyle = paint.colors[back];
      on.fillRect(0, 0, 6, 6);
    }
    on.strokeStyle = paint.colors[name];
    on.lineWidth = 2;
    on.beginPath();
    for (const x of [-6, 0, 6]) {
      on.moveTo(x, 6);
      on.lineTo(x + 6, 0);
    }
    on.stroke();
    paint.hatch[key] = context.createPattern(tile, "repeat");
  }
  return paint.hatch[key];
}

function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = height + "px";
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  return context;
}

function toX(moment) {
  return paint.label + (moment - line.from) / (line.to - line.from) * (paint.width - paint.label);
}

function toTime(x) {
  return line.from + (x - paint.label) / (paint.width - paint.label) * (line.to - line.from);
}

// One state of a node: MASTER is full, BACKUP thin, FAULT striped, what does not run hollow.
function drawState(context, state, x, width, y, height) {
  const colors = paint.colors;
  if (state === "MASTER") {
    context.fillStyle = colors["good-line"];
    context.fillRect(x, y, width, height);
  } else if (state === "BACKUP") {
    context.fillStyle = colors.strong;
    context.fillRect(x, y + height / 2 - 2, width, 4);
  } else if (state === "FAULT") {
    context.fillStyle = width > 3 ? stripes(context, "bad-line", "bad-back") : colors["bad-line"];
    context.fillRect(x, y, width, height);
    if (width > 3) {
      context.strokeStyle = colors["bad-line"];
      context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
    }
  } else {
    context.strokeStyle = colors.dim;
    context.setLineDash([3, 2]);
    context.strokeRect(x + 0.5, y + 2.5, Math.max(1, width - 1), height - 5);
    context.setLineDash([]);
  }
}

function drawWord(context, text, x, width, y, color, halo) {
  const left = Math.max(x, paint.label) + 6;
  const room = Math.min(x + width, paint.width) - left - 4;
  if (room < 24 || context.measureText(text).width > room) return;
  if (halo) {
    context.strokeStyle = halo;
    context.lineWidth = 3;
    context.strokeText(text, left, y);
    context.lineWidth = 1;
  }
  context.fillStyle = color;
  context.fillText(text, left, y);
}

function diamond(context, x, y) {
  context.beginPath();
  context.moveTo(x, y - 5);
  context.lineTo(x + 5, y);
  context.lineTo(x, y + 5);
  context.lineTo(x - 5, y);
  context.closePath();
  context.fillStyle = paint.colors.accent;
  context.strokeStyle = paint.colors.paper;
  context.fill();
  context.stroke();
}

function drawLane(context, row, y) {
  const {spans} = row.lane;
  const height = 16;
  const top = y + (paint.narrow ? 17 : 3);
  context.strokeStyle = paint.colors.line;
  context.setLineDash([1, 4]);
  context.beginPath();
  context.moveTo(paint.label, top + height / 2 + 0.5);
  context.lineTo(paint.width, top + height / 2 + 0.5);
  context.stroke();
  context.setLineDash([]);
  const marks = [];
  let drawnTo = -1, drawnState = -1;
  for (let place = spanAfter(spans, line.from) * EACH; place < spans.length; place += EACH) {
    if (spans[place] > line.to) break;
    const state = spans[place + STATE];
    const begin = Math.max(paint.label, toX(spans[place]));
    const end = Math.min(paint.width, toX(spans[place] + spans[place + LONG]));
    const word = texts[state];
    // several within one pixel look like one; a failure is always seen
    if (end <= drawnTo && (state === drawnState || word === "BACKUP")) continue;
    const width = Math.max(end - begin, word === "BACKUP" ? 0.5 : 1.5);
    drawState(context, word, begin, width, top, height);
    if (word === "MASTER") {
      drawWord(context, word, begin, width, top + height / 2 + 0.5, paint.colors.paper);
    } else if (word !== "BACKUP") {
      drawWord(context, word, begin, width, top + height / 2 + 0.5, paint.colors.text,
        paint.colors.paper);
    }
    drawnTo = Math.max(drawnTo, Math.floor(begin + width));
    drawnState = state;
    if (spans[place + PLANNED] && spans[place] >= line.from) {
      if (!marks.length || begin - marks[marks.length - 1] > 9) marks.push(begin);
    }
    if (line.picked && line.picked.lane === row.lane && line.picked.place === place) {
      context.strokeStyle = paint.colors.accent;
      context.lineWidth = 2;
      context.strokeRect(begin - 1, top - 1, width + 2, height + 2);
      context.lineWidth = 1;
    }
  }
  for (const x of marks) diamond(context, x, top + height / 2);
}

function kindColor(kind) {
  return kindLevel(kind) === "bad" ? "bad" : "warn";
}

// The incidents of a group: a block in its first row, a band across its lanes.
function drawIncidents(context, row, y, bottom) {
  const top = y + (paint.narrow ? 21 : 8);
  let drawnTo = -1;
  for (const each of row.incidents) {
    if (each.end < line.from || each.opened > line.to) continue;
    const begin = Math.max(paint.label, toX(each.opened));
    const end = Math.min(paint.width, toX(each.end));
    const width = Math.max(end - begin, 3);
    if (begin + width <= drawnTo + 1 && line.picked?.incident !== each) continue;
    const name = kindColor(each.kind);
    context.globalAlpha = 0.16;
    context.fillStyle = paint.colors[name + "-line"];
    context.fillRect(begin, top + 14, width, bottom - top - 14);
    context.globalAlpha = 1;
    context.fillStyle = each.planned ? stripes(context, name + "-line", "paper")
      : paint.colors[name + "-line"];
    context.fillRect(begin, top, width, 14);
    if (each.planned || line.picked?.incident === each) {
      context.strokeStyle = line.picked?.incident === each ? paint.colors.accent
        : paint.colors[name + "-line"];
      context.lineWidth = line.picked?.incident === each ? 2 : 1;
      context.strokeRect(begin, top, width, 14);
      context.lineWidth = 1;
    }
    drawWord(context, words(each.kind) + (each.open ? ", open" : ""), begin, width, top + 7.5,
      paint.colors.text, paint.colors.paper);
    drawnTo = begin + width;
  }
}

function drawGaps(context, row, y) {
  const top = y + (paint.narrow ? 36 : 24);
  context.fillStyle = paint.colors.bad;
  let drawnTo = -1;
  for (const gap of row.group.gaps) {
    if (gap.from + gap.long < line.from || gap.from > line.to) continue;
    const begin = Math.max(paint.label, toX(gap.from));
    const width = Math.max(Math.min(paint.width, toX(gap.from + gap.long)) - begin, 2);
    if (begin + width <= drawnTo) continue;
    context.fillRect(begin, top, width, 4);
    drawnTo = begin + width;
  }
}

function stepFor(pixels, length) {
  return STEPS.find((step) => step / length * pixels >= 110) ?? STEPS[STEPS.length - 1];
}

function tickText(moment, step) {
  const text = new Date(moment).toISOString();
  if (step >= 864e5 || moment % 864e5 === 0) return text.slice(5, 10);
  if (step >= 6e4) return text.slice(11, 16);
  return step >= 1e3 ? text.slice(11, 19) : text.slice(11, 23);
}

function drawAxis(context, height) {
  const colors = paint.colors;
  const step = stepFor(paint.width - paint.label, line.to - line.from);
  context.fillStyle = colors.raised;
  context.fillRect(0, 0, paint.width, AXIS);
  context.strokeStyle = colors.line;
  context.beginPath();
  context.moveTo(0, AXIS - 0.5);
  context.lineTo(paint.width, AXIS - 0.5);
  context.stroke();
  context.fillStyle = colors.dim;
  for (let moment = Math.ceil((sheet.from + line.from) / step) * step;
    moment <= sheet.from + line.to; moment += step) {
    const x = Math.round(toX(moment - sheet.from)) + 0.5;
    context.strokeStyle = colors.line;
    context.beginPath();
    context.moveTo(x, AXIS - 6);
    context.lineTo(x, height);
    context.stroke();
    const text = tickText(moment, step);
    const wide = context.measureText(text).width;
    if (x - wide / 2 > paint.label && x + wide / 2 < paint.width) {
      context.fillText(text, x - wide / 2, AXIS / 2);
    }
  }
  if (paint.label) {
    context.fillStyle = colors.raised;
    context.fillRect(0, 0, paint.label, AXIS - 1);
    context.fillStyle = colors.dim;
    context.fillText(utc(line.from).slice(0, 10) + " UTC", 10, AXIS / 2);
  }
}

function cutText(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  let low = 0, high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(text.slice(0, middle) + "\u2026").width <= room) low = middle;
    else high = middle - 1;
  }
  return text.slice(0, low) + "\u2026";
}

function drawLabel(context, row, y) {
  const room = (paint.narrow ? paint.width : paint.label) - 16;
  const middle = paint.narrow ? y + 9 : y + row.height / 2;
  const isGroup = row.what === "group";
  if (isGroup) context.font = "600 " + FONT;
  context.fillStyle = isGroup ? paint.colors.text : paint.colors.dim;
  const several = sheet.clusters.length > 1;
  const text = isGroup ? (several ? row.group.cluster + " \u00b7 " : "") + row.group.instance
    : row.lane.node;
  context.fillText(cutText(context, text, room - (isGroup ? 0 : 10)), isGroup ? 10 : 20, middle);
  context.font = FONT;
}

// Draws what is seen of the rows: from how far they are scrolled, on so many pixels.
function drawRows(context, scrolled, height) {
  drawAxis(context, height);
  context.save();
  context.beginPath();
  context.rect(0, AXIS, paint.width, height - AXIS);
  context.clip();
  for (const row of line.rows) {
    const y = row.y - scrolled + AXIS;
    if (row.what === "group" && row.end - scrolled + AXIS > 0 && y < height) {
      drawIncidents(context, row, y, row.end - scrolled + AXIS);
      drawGaps(context, row, y);
    }
    if (y + row.height < 0 || y > height) continue;
    if (row.what === "lane") drawLane(context, row, y);
    drawLabel(context, row, y);
    if (row.what === "group" && y > AXIS) {
      context.strokeStyle = paint.colors.line;
      context.beginPath();
      context.moveTo(0, Math.round(y) - 3.5);
      context.lineTo(paint.width, Math.round(y) - 3.5);
      context.stroke();
    }
  }
  const now = toX(LENGTH);
  if (now < paint.width - 1 && now > paint.label) {
    context.strokeStyle = paint.colors.accent;
    context.beginPath();
    context.moveTo(now, AXIS);
    context.lineTo(now, height);
    context.stroke();
  }
  context.restore();
}
"""
