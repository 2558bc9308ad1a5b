"""The page's script: the verdict, the tiles, and a picture of each cluster."""

TEXT = r"""
// So many clusters are drawn open; of more, those that are well are folded.
const FEW = 4;

function showVerdict() {
  const order = Object.keys(sheet.retcodes);
  const found = sheet.clusters.map((each) => each.verdict).filter(Boolean);
  const worst = found.sort((a, b) => order.indexOf(a) - order.indexOf(b))[0] ?? null;
  const level = levelOf(worst);
  const wrong = sheet.clusters.filter((each) => levelOf(each.verdict) !== "good");
  const title = worst === null ? "Nothing is known of now"
    : level === "good" ? "All is well" : words(worst).replace(/^./, (one) => one.toUpperCase());
  const lines = wrong.flatMap((cluster) => cluster.instances
    .filter((each) => levelOf(each.verdict) !== "good" && each.reason)
    .map((each) => cluster.cluster + " " + each.instance + ": " + each.reason));
  const some = lines.slice(0, 3).map((line) => el("p", {}, line));
  if (lines.length > 3) some.push(el("p", {class: "dim"}, "and " + (lines.length - 3) + " more"));
  if (level === "good") {
    some.push(el("p", {}, count(sheet.clusters.length, "cluster")
      + (sheet.asked ? ", asked when this page was made" : ", by what the hub heard last")));
  }
  $("verdict").className = level;
  fill($("verdict"), el("span", {class: "sign", "aria-hidden": "true"}, SIGNS[level]),
    el("div", {}, el("strong", {}, title), some));
}

function tile(name, value, more, level) {
  return el("div", {}, el("dt", {}, name), el("dd", {class: level || ""}, value),
    more ? el("dd", {class: "more"}, more) : null);
}

function showTiles() {
  const vips = sheet.clusters.flatMap((each) => each.instances).flatMap((each) => each.vips);
  const owned = vips.filter((vip) => vip.owners && vip.owners.length === 1).length;
  const known = sheet.numbers.filter((each) => each.seconds !== null);
  const sum = (name) => known.reduce((all, each) => all + each[name], 0);
  const found = [tile("Addresses with one owner", owned + " of " + vips.length,
    count(sheet.clusters.length, "cluster"), owned === vips.length ? "good" : "bad")];
  if (sheet.incidents) {
    const open = incidents.filter((each) => each.open).length;
    found.push(tile("Open incidents", String(open),
      count(incidents.length, "incident") + " in all", open ? "bad" : "good"));
  }
  if (known.length) {
    const availability = 1 - sum("without") / Math.max(1, sum("seconds"));
    found.push(tile("Addresses had an owner", percent(availability), "of the time that is known"));
    found.push(tile("Without an owner", span(sum("without")),
      "the longest: " + span(Math.max(...known.map((each) => each.longest)))));
    found.push(tile("Changes of owner", String(sum("changes") + sum("changes_planned")),
      sum("changes_planned") + " planned"));
  }
  if (sheet.audit) {
    const {error, warning, info} = sheet.audit.counts;
    found.push(tile("Audit", count(error, "error"), count(warning, "warning") + ", " + info
      + " for information", error ? "bad" : warning ? "warn" : "good"));
  }
  if (sheet.hub) {
    const behind = sheet.hub.nodes.reduce((all, each) => all + each.lag + each.missing, 0);
    found.push(tile("Hub", sheet.hub.running ? "runs" : "does not run",
      sheet.hub.running ? count(behind, "row") + " behind" : sheet.hub.problem,
      sheet.hub.running ? "good" : "bad"));
  }
  fill($("tiles"), found);
  fill($("notes"), sheet.notes.map((note) => el("li", {}, note)));
}

function percent(part) {
  if (part >= 1) return "100 %";
  const digits = part > 0.9999 ? 4 : part > 0.99 ? 3 : 2;
  // rounded down: what was not always is never shown as if it were
  return (Math.floor(part * 100 * 10 ** digits) / 10 ** digits).toFixed(digits) + " %";
}

// The lines from the addresses to the nodes, in a picture as wide as the columns.
function links(nodes) {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("class", "links");
  drawn.setAttribute("viewBox", "0 0 " + nodes.length * 100 + " 54");
  drawn.setAttribute("preserveAspectRatio", "none");
  drawn.setAttribute("aria-hidden", "true");
  const middle = nodes.length * 50;
  // thick ones last, on top
  const order = nodes.map((node, place) => ({node, place}));
  order.sort((a, b) => Number(a.node.holds_vip === true) - Number(b.node.holds_vip === true));
  for (const {node, place} of order) {
    const x = place * 100 + 50;
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("d", "M" + middle + " 0C" + middle + " 34 " + x + " 20 " + x + " 54");
    line.setAttribute("class", nodeClass(node));
    drawn.append(line);
  }
  return drawn;
}

function nodeClass(node) {
  if (node.holds_vip) return node.claim === "MASTER" && !node.rival ? "on" : "wrong";
  return node.claim === "unknown" || node.claim === null ? "away" : "";
}

const CLAIMS = {MASTER: "good", BACKUP: "", unknown: "unknown"};

function nodeCard(node, silent) {
  const priority = node.effective_priority === null || node.effective_priority === undefined
    || node.effective_priority === node.priority ? String(node.priority ?? "\u2013")
    : node.priority + " \u2192 " + node.effective_priority;
  const facts = [["Priority", priority], ["Interface", node.interface || "\u2013"]];
  if (node.nopreempt) facts.push(["Preempts", "no"]);
  if (node.since) {
    const seconds = (sheet.time - Date.parse(node.since)) / 1000;
    if (seconds >= 0) facts.push(["Since", span(Math.round(seconds))]);
  }
  const level = CLAIMS[node.claim] ?? "bad";
  const claim = silent ? null : badge(node.claim, nodeClass(node) === "wrong" ? "bad" : level);
  return el("li", {},
    el("div", {class: "node " + (silent ? "" : nodeClass(node))},
      el("header", {}, el("strong", {}, node.node), claim,
        node.drained ? badge("drained", "warn") : null),
      node.holds_vip ? el("p", {class: "holds"}, "has the address") : null,
      el("dl", {}, facts.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
      node.note ? el("p", {class: "note"}, node.note) : null),
    node.tracks.length ? el("ul", {class: "tracks", "aria-label": "What " + node.node + " tracks"},
      node.tracks.map((track) => el("li", {}, el("b", {}, track.name), el("span", {},
        track.kind + (track.does ? ": " + track.does : ""))))) : null);
}

function picture(each) {
  const silent = each.nodes.every((node) => node.claim === null);
  const rivals = each.nodes.filter((node) => node.holds_vip).length > 1;
  const nodes = each.nodes.map((node) => ({...node, rival: rivals}));
  const size = nodes.length > 5 ? "many" : String(nodes.length);
  const list = el("ol", {class: "nodes"}, nodes.map((node) => nodeCard(node, silent)));
  if (nodes.length < 6) list.style.setProperty("--columns", String(nodes.length || 1));
  const vips = each.vips.map((vip) => {
    const devices = [...new Set(Object.values(vip.interfaces))].sort().join(", ");
    const where = (devices ? " dev " + devices : "") + (vip.excluded ? ", not in adverts" : "");
    return el("li", {class: "vip " + vip.style}, el("b", {class: "mono"}, vip.address),
      where ? el("span", {class: "dim"}, where.trim()) : null,
      vip.told ? el("span", {}, vip.told) : null);
  });
  return el("div", {class: "wire cols-" + size},
    el("span", {class: "clients"}, "clients"),
    vips.length ? el("ul", {class: "vips", "aria-label": "Addresses"}, vips) : null,
    links(nodes), list);
}

function instanceView(each) {
  const facts = [];
  if (each.vrid !== null) facts.push("virtual_router_id " + each.vrid);
  if (each.family) facts.push("IPv" + each.family);
  if (each.sync_group) facts.push("sync group " + each.sync_group);
  const lines = [];
  if (each.reason) lines.push(el("p", {class: "told"}, each.reason));
  if (each.cause) lines.push(el("p", {class: "told"}, el("b", {}, "Cause: "), each.cause));
  if (each.next) lines.push(el("p", {class: "told"}, el("b", {}, "Next: "), each.next));
  if (each.incident) {
    const known = incidents.find((one) => one.id === each.incident);
    lines.push(el("p", {class: "told"}, el("b", {}, "Incident: "), known
      ? button(each.incident, () => showDetails(known), {class: "link"}) : each.incident));
  }
  const said = each.verdict ? badge(words(each.verdict), levelOf(each.verdict)) : null;
  return el("section", {class: "instance", "aria-label": each.instance},
    el("div", {class: "instance-head"}, el("h4", {}, each.instance), said,
      el("span", {class: "dim small"}, facts.join(" \u00b7 "))),
    lines, picture(each));
}

function clusterView(cluster) {
  const vips = cluster.instances.flatMap((each) => each.vips.map((vip) => vip.address));
  const answered = cluster.answered === null || cluster.answered === undefined ? "no node asked"
    : cluster.answered + " of " + count(cluster.expected, "node")
      + (sheet.asked ? " answered" : " heard");
  const level = levelOf(cluster.verdict);
  const views = new Map();
  const open = sheet.clusters.length <= FEW || level !== "good";
  const body = el("details", {open},
    el("summary", {}, el("h3", {}, cluster.cluster), cluster.verdict
      ? badge(words(cluster.verdict), level) : null, el("span", {class: "dim small"}, answered),
      el("span", {class: "where mono"}, vips.slice(0, 4).join(", ")
        + (vips.length > 4 ? " and " + (vips.length - 4) + " more" : ""))),
    cluster.problem ? el("p", {class: "instance bad"}, cluster.problem) : null);
  const article = el("article", {class: "cluster", "aria-label": "Cluster " + cluster.cluster},
    body);
  const drawn = () => {
    // a folded one is drawn when it is opened
    if (!body.open || views.size) return;
    for (const each of cluster.instances) {
      const view = instanceView(each);
      views.set(each, view);
      view.hidden = !wantedInstance(cluster, each);
      body.append(view);
    }
  };
  const fold = () => {
    article.classList.toggle("folded", !body.open);
    drawn();
  };
  body.addEventListener("toggle", fold);
  fold();
  return {cluster, article, views, body};
}

function startClusters() {
  const all = sheet.clusters.map(clusterView);
  fill($("pictures"), all.map((each) => each.article));
  if (!all.length) $("pictures").append(el("p", {class: "none"}, "No cluster is known here."));
  const unfold = $("unfold");
  unfold.hidden = all.length <= FEW;
  const label = () => {
    const some = all.some((each) => !each.body.open);
    unfold.textContent = some ? "Unfold all" : "Fold all";
    return some;
  };
  unfold.addEventListener("click", () => {
    const some = label();
    for (const each of all) each.body.open = some;
    unfold.textContent = some ? "Fold all" : "Unfold all";
  });
  label();
  const none = el("p", {class: "none", hidden: true}, "No cluster fits the filter.");
  $("pictures").append(none);
  listeners.push(() => {
    let shown = 0;
    for (const each of all) {
      const wanted = each.cluster.instances.filter((one) => wantedInstance(each.cluster, one));
      const has = wanted.length > 0 || (!each.cluster.instances.length && (!chosen.cluster
        || chosen.cluster === each.cluster.cluster) && !chosen.text && !chosen.node);
      each.article.hidden = !has;
      shown += has;
      for (const [one, view] of each.views) view.hidden = !wanted.includes(one);
    }
    none.hidden = shown > 0 || !all.length;
    say("clusters", count(shown, "cluster"));
  });
}
"""
