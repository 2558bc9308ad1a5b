"""The page's script: what is shown, chosen once for all parts."""

TEXT = r"""
const chosen = {cluster: "", node: "", instance: "", text: "", kinds: new Set(), open: false};
const listeners = [];

function names() {
  const found = {cluster: new Set(), node: new Set(), instance: new Set()};
  const add = (cluster, instance, nodes) => {
    found.cluster.add(cluster);
    if (instance) found.instance.add(instance);
    for (const node of nodes) found.node.add(node);
  };
  for (const cluster of sheet.clusters) {
    add(cluster.cluster, null, []);
    for (const each of cluster.instances) {
      add(cluster.cluster, each.instance, each.nodes.map((node) => node.node));
    }
  }
  for (const lane of lanes) add(lane.cluster, lane.instance, [lane.node]);
  for (const each of incidents) add(each.cluster, null, each.nodes);
  return found;
}

function textOf(value) {
  return JSON.stringify(value).toLowerCase();
}

// What a text is looked for in; made when it is first needed.
function haystack(thing, make) {
  if (thing.hay === undefined) thing.hay = make().toLowerCase();
  return thing.hay;
}

function hasText(thing, make) {
  return !chosen.text || haystack(thing, make).includes(chosen.text);
}

function wantedIncident(each) {
  return (!chosen.cluster || each.cluster === chosen.cluster)
    && (!chosen.instance || each.instances.includes(chosen.instance)
      || each.instance === chosen.instance)
    && (!chosen.node || each.nodes.includes(chosen.node))
    && (!chosen.open || each.open)
    && (!chosen.kinds.size || chosen.kinds.has(each.kind))
    && hasText(each, () => [each.id, each.cluster, each.instance, words(each.kind), each.cause,
      ...each.nodes, ...each.instances].join("\n"));
}

function wantedLane(lane) {
  return (!chosen.cluster || lane.cluster === chosen.cluster)
    && (!chosen.instance || lane.instance === chosen.instance)
    && (!chosen.node || lane.node === chosen.node)
    && hasText(lane, () => {
      const found = new Set([lane.cluster, lane.instance, lane.node]);
      const {spans} = lane;
      for (let place = 3; place < spans.length; place += 5) found.add(texts[spans[place]]);
      return [...found].join("\n");
    });
}

function wantedInstance(cluster, each) {
  return (!chosen.cluster || cluster.cluster === chosen.cluster)
    && (!chosen.instance || each.instance === chosen.instance)
    && (!chosen.node || each.nodes.some((node) => node.node === chosen.node))
    && hasText(each, () => cluster.cluster + textOf(each));
}

function wantedFinding(each) {
  return (!chosen.cluster || each.cluster === chosen.cluster)
    && (!chosen.instance || !each.instance || each.instance === chosen.instance)
    && (!chosen.node || each.nodes.includes(chosen.node))
    && hasText(each, () => textOf(each));
}

function wantedNumber(each) {
  return (!chosen.cluster || each.cluster === chosen.cluster)
    && (!chosen.instance || each.instance === chosen.instance)
    && hasText(each, () => [each.cluster, each.instance, each.vip].join("\n"));
}

function isFiltered() {
  return Boolean(chosen.cluster || chosen.node || chosen.instance || chosen.text || chosen.open
    || chosen.kinds.size);
}

const told = {};
const sayCounts = later(() => {
  const parts = Object.values(told).filter(Boolean);
  $("count").textContent = (isFiltered() ? "Shown: " : "") + parts.join(", ");
}, 150);

function say(part, text) {
  told[part] = text;
  sayCounts();
}

const changed = onFrame(() => {
  $("by-none").disabled = !isFiltered();
  $("filter-open").textContent = isFiltered() ? "Filter (on)" : "Filter";
  for (const each of listeners) each();
});

function startFilter() {
  const known = names();
  const any = {cluster: "all", node: "all", instance: "all"};
  for (const what of ["cluster", "node", "instance"]) {
    const list = $("by-" + what);
    const sorted = [...known[what]].sort((a, b) => a.localeCompare(b, "en", {numeric: true}));
    fill(list, el("option", {value: ""}, any[what]),
      sorted.map((name) => el("option", {value: name}, name)));
    list.disabled = sorted.length < 2;
    list.addEventListener("change", () => { chosen[what] = list.value; changed(); });
  }
  const typed = later(() => {
    chosen.text = $("by-text").value.trim().toLowerCase();
    changed();
  }, 120);
  $("by-text").addEventListener("input", typed);
  const there = new Set(incidents.map((each) => each.kind));
  const press = (made, on) => made.setAttribute("aria-pressed", String(on));
  const open = button("open", () => {
    chosen.open = !chosen.open;
    press(open, chosen.open);
    changed();
  }, {"aria-pressed": "false"});
  const kinds = sheet.kinds.filter((each) => there.has(each.kind)).map(({kind}) => {
    const made = button(words(kind), () => {
      if (!chosen.kinds.delete(kind)) chosen.kinds.add(kind);
      press(made, chosen.kinds.has(kind));
      changed();
    }, {"aria-pressed": "false"});
    return made;
  });
  if (incidents.length) $("by-kind").append(open, ...kinds);
  else $("by-kind").hidden = true;
  $("filter").addEventListener("submit", (event) => event.preventDefault());
  $("filter").addEventListener("reset", () => {
    Object.assign(chosen, {cluster: "", node: "", instance: "", text: "", open: false});
    chosen.kinds.clear();
    for (const each of [open, ...kinds]) press(each, false);
    changed();
  });
  $("filter-open").addEventListener("click", () => {
    const on = $("filter").classList.toggle("open");
    $("filter-open").setAttribute("aria-expanded", String(on));
  });
}
"""
