"""The page's script: which rows the timeline has, and what of it is shown."""

TEXT = r"""
// What a lane's spans are made of, five numbers each.
const FROM = 0, LONG = 1, STATE = 2, REASON = 3, PLANNED = 4, EACH = 5;
const AXIS = 26;
// Milliseconds: no closer can one look.
const CLOSEST = 200;

const line = {rows: [], height: 0, from: 0, to: LENGTH, first: 0, picked: null};

function bare(address) {
  return address.split("/")[0];
}

// Gaps without an owner, by cluster and instance: the wiring says whose an address is.
function gapsByInstance() {
  const owner = new Map();
  for (const cluster of sheet.clusters) {
    for (const each of cluster.instances) {
      for (const vip of each.vips) {
        owner.set(cluster.cluster + "\n" + bare(vip.address), each.instance);
      }
    }
  }
  const found = new Map();
  for (const {cluster, vip, spans} of sheet.timeline.gaps) {
    const instance = owner.get(cluster + "\n" + bare(vip));
    if (instance === undefined) continue;
    const key = cluster + "\n" + instance;
    if (!found.has(key)) found.set(key, []);
    for (let place = 0; place < spans.length; place += 3) {
      found.get(key).push({vip, from: spans[place], long: spans[place + 1],
        open: spans[place + 2] === 1});
    }
  }
  return found;
}

// The lanes of each instance of each cluster, as the pictures above have them in order.
function groups() {
  const found = new Map();
  const group = (cluster, instance) => {
    const key = cluster + "\n" + instance;
    if (!found.has(key)) found.set(key, {key, cluster, instance, lanes: [], incidents: []});
    return found.get(key);
  };
  const order = new Map();
  for (const cluster of sheet.clusters) {
    for (const each of cluster.instances) {
      group(cluster.cluster, each.instance);
      each.nodes.forEach((node, place) => {
        order.set(cluster.cluster + "\n" + each.instance + "\n" + node.node, place);
      });
    }
  }
  for (const lane of lanes) group(lane.cluster, lane.instance).lanes.push(lane);
  for (const one of found.values()) {
    const place = (lane) => order.get(one.key + "\n" + lane.node) ?? 99;
    one.lanes.sort((a, b) => place(a) - place(b) || a.node.localeCompare(b.node));
  }
  for (const each of incidents) {
    for (const instance of each.instances) {
      found.get(each.cluster + "\n" + instance)?.incidents.push(each);
    }
  }
  const gaps = gapsByInstance();
  for (const one of found.values()) {
    one.incidents.sort((a, b) => a.opened - b.opened);
    one.gaps = gaps.get(one.key) || [];
  }
  return [...found.values()].filter((one) => one.lanes.length || one.incidents.length);
}

// The rows that the filter leaves, from top to bottom.
function layOut(all, narrow) {
  const rows = [];
  let y = 0;
  const add = (row, height) => {
    rows.push({...row, y, height});
    y += height;
  };
  let shown = 0;
  for (const one of all) {
    const kept = one.lanes.filter(wantedLane);
    const events = one.incidents.filter(wantedIncident);
    // what a kind or a text leaves of the incidents is worth its lanes, too
    const some = kept.length ? kept : (chosen.text && events.length ? one.lanes : []);
    if (!some.length && !(events.length && !chosen.node)) continue;
    const start = y;
    add({what: "group", group: one, incidents: events}, narrow ? 40 : 30);
    for (const lane of some) {
      add({what: "lane", group: one, lane}, narrow ? 36 : 22);
      shown += 1;
    }
    const head = rows[rows.length - 1 - some.length];
    head.end = y;
    head.start = start;
    y += 8;
  }
  line.rows = rows;
  line.height = y;
  return shown;
}

function firstKnown() {
  let first = LENGTH;
  for (const lane of lanes) if (lane.count) first = Math.min(first, lane.spans[FROM]);
  for (const each of incidents) first = Math.min(first, Math.max(0, each.opened));
  return first < LENGTH ? first : 0;
}

// Show from..to, moved and cut to what there is.
function look(from, to) {
  const all = LENGTH - line.first;
  const long = Math.min(Math.max(to - from, CLOSEST), all * 1.04);
  const margin = all * 0.02;
  let begin = from + (to - from - long) / 2;
  begin = Math.max(line.first - margin, Math.min(begin, LENGTH + margin - long));
  line.from = begin;
  line.to = begin + long;
}

function zoom(factor, around) {
  const middle = around ?? (line.from + line.to) / 2;
  look(middle - (middle - line.from) * factor, middle + (line.to - middle) * factor);
}

function pan(part) {
  const moved = (line.to - line.from) * part;
  look(line.from + moved, line.to + moved);
}

function showAll() {
  look(line.first - LENGTH, LENGTH * 2);
}

// The place of the first span that ends after a moment.
function spanAfter(spans, moment) {
  let low = 0, high = spans.length / EACH;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle * EACH + FROM] + spans[middle * EACH + LONG] <= moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

function spanText(lane, place, join) {
  const {spans} = lane;
  const from = spans[place + FROM], long = spans[place + LONG];
  const reason = texts[spans[place + REASON]];
  return [
    lane.node + " " + lane.instance + ": " + texts[spans[place + STATE]],
    utc(from, true) + " to " + clock(from + long, from) + " UTC (" + span(long / 1000) + ")",
    (reason || "") + (spans[place + PLANNED] ? (reason ? ", " : "") + "planned" : ""),
  ].filter(Boolean).join(join);
}

function incidentText(each, join) {
  return [
    words(each.kind) + (each.open ? ", open" : "") + (each.planned ? ", partly planned" : "")
      + ": " + each.cluster + " " + each.instance,
    utc(each.opened, true) + " UTC, " + span(each.seconds)
      + (each.without ? ", without an owner for " + span(each.without) : ""),
    each.cause,
  ].filter(Boolean).join(join);
}

function gapText(gap, join) {
  return ["No node had " + gap.vip + (gap.open ? ", still so" : ""),
    utc(gap.from, true) + " UTC, " + span(gap.long / 1000)].join(join);
}
"""
