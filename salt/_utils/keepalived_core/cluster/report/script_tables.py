"""The page's script: the audit, the numbers, the hub."""

TEXT = r"""
const SEVERITIES = {error: "bad", warning: "warn", info: ""};

function finding(each) {
  const where = [each.cluster, each.instance, ...each.nodes].filter(Boolean).join(" \u00b7 ");
  return el("li", {class: "finding " + each.severity},
    el("header", {}, badge(each.severity, SEVERITIES[each.severity]),
      el("code", {}, each.code), el("span", {class: "dim small"}, where)),
    el("p", {}, each.text),
    el("p", {class: "dim small"}, "Why it matters: " + each.why + "."),
    el("p", {class: "do small"}, el("b", {}, "What to do: "), each.do));
}

function startAudit() {
  const none = $("audit-none");
  if (!sheet.audit) {
    none.hidden = false;
    none.textContent = sheet.asked ? "The audit could not be made."
      : "No node was asked, so nothing was audited: salt-run keepalived.audit does it.";
    return;
  }
  const {counts, findings} = sheet.audit;
  $("audit-when").textContent = count(counts.error, "error") + ", " + count(counts.warning,
    "warning") + ", " + counts.info + " for information";
  const all = findings.map((each) => ({each, view: finding(each)}));
  fill($("findings"), all.map(({view}) => view));
  listeners.push(() => {
    let shown = 0;
    for (const {each, view} of all) {
      view.hidden = !wantedFinding(each);
      shown += !view.hidden;
    }
    none.hidden = shown > 0;
    none.textContent = all.length ? "No finding fits the filter." : "Nothing was found.";
    say("audit", all.length ? count(shown, "finding") : "");
  });
}

const NUMBERS = [
  ["Address", (each) => each.vip, ""],
  ["Had an owner", (each) => percent(each.availability), "n"],
  ["Without one", (each) => span(each.without), "n"],
  ["Longest", (each) => span(each.longest), "n"],
  ["Outages", (each) => each.outages + (each.outages_planned ? " + " + each.outages_planned
    + " planned" : ""), "n"],
  ["Changes of owner", (each) => each.changes + (each.changes_planned ? " + "
    + each.changes_planned + " planned" : ""), "n"],
  ["Between outages", (each) => each.between === null ? "none yet" : span(each.between), "n"],
  ["Known for", (each) => span(each.seconds), "n"],
];

function numberRow(each) {
  const head = el("th", {scope: "row"}, el("span", {class: "mono"}, each.vip), el("br"),
    el("span", {class: "dim small"}, each.cluster + " " + each.instance));
  if (each.seconds === null) {
    return el("tr", {}, head, el("td", {colspan: NUMBERS.length - 1, class: "dim"},
      "nothing is known of this time"));
  }
  return el("tr", {}, head, NUMBERS.slice(1).map(([title, of, kind]) =>
    el("td", {class: kind, "data-title": title}, of(each)
      + (title === "Without one" && each.open ? ", still" : ""))));
}

function startNumbers() {
  if (!sheet.numbers.length) {
    $("numbers-none").hidden = false;
    $("numbers-none").textContent = "No address is known.";
    $("number-table").hidden = true;
    return;
  }
  $("numbers-when").textContent = utc(0) + " to " + utc(LENGTH) + " UTC";
  const all = sheet.numbers.map((each) => ({each, view: numberRow(each)}));
  fill($("number-table"), el("table", {},
    el("caption", {}, "Each address, by the nodes' rows. An outage is a time without an owner that "
      + "nobody had planned; between outages is the mean time from one to the next."),
    el("thead", {}, el("tr", {}, NUMBERS.map(([title, , kind]) =>
      el("th", {scope: "col", class: kind}, title)))),
    el("tbody", {}, all.map(({view}) => view))));
  listeners.push(() => {
    let shown = 0;
    for (const {each, view} of all) {
      view.hidden = !wantedNumber(each);
      shown += !view.hidden;
    }
    $("number-table").hidden = !shown;
    $("numbers-none").hidden = shown > 0;
    $("numbers-none").textContent = "No address fits the filter.";
  });
}

function hubTable(caption, titles, rows) {
  return el("div", {class: "sideways", tabindex: "0", role: "region", "aria-label": caption},
    el("table", {}, el("caption", {}, caption),
      el("thead", {}, el("tr", {}, titles.map(([title, kind]) => el("th", {scope: "col",
        class: kind}, title)))),
      el("tbody", {}, rows)));
}

function startHub() {
  const {hub} = sheet;
  if (!hub) {
    fill($("hub-body"), el("p", {class: "none"}, "There is no hub on this master. With one, this "
      + "page has every transition, incidents and numbers: the state keepalived.master switches it "
      + "on."));
    return;
  }
  const ago = (time) => Math.round((sheet.time - Date.parse(time)) / 1000);
  const facts = el("dl", {class: "facts"},
    fact("State", hub.running ? "runs" : hub.problem),
    fact("Started", hub.started ? utc(Date.parse(hub.started) - sheet.from) + " UTC ("
      + span(ago(hub.started)) + " ago)" : ""),
    fact("Rows must be signed", hub.signed === null ? "" : hub.signed ? "yes"
      : "no: there is no secret on this master"),
    fact("Keeps", count(hub.file.rows, "row") + ", "
      + (hub.file.bytes / 1e6).toFixed(1) + " MB"));
  const titles = [["Node", ""], ["Cluster", ""], ["Behind", "n"], ["Missing", "n"], ["Lost", "n"],
    ["Refused", "n"], ["Dropped", "n"], ["Heard", "n"], ["Clock ahead", "n"]];
  const rows = hub.nodes.map((node) => el("tr", {}, el("th", {scope: "row"}, node.node),
    el("td", {}, node.cluster ?? "\u2013"),
    [node.lag, node.missing, node.lost, node.refused, node.dropped].map((value) =>
      el("td", {class: "n" + (value ? " warn" : "")}, value ?? "\u2013")),
    el("td", {class: "n"}, node.age === null ? "never" : span(node.age) + " ago"),
    el("td", {class: "n"}, node.clock_ahead === null ? "\u2013" : node.clock_ahead + " s")));
  fill($("hub-body"), facts, hubTable("How far the hub is with each node, in rows", titles, rows),
    hub.rejected.length ? hubTable("What the hub did not believe", [["Minion", ""], ["Reason", ""],
      ["Times", "n"], ["Last (UTC)", ""]], hub.rejected.map((each) => el("tr", {},
      el("td", {}, each.minion), el("td", {}, each.reason), el("td", {class: "n"}, each.count),
      el("td", {class: "mono"}, each.last ? each.last.slice(0, 19).replace("T", " ") : "\u2013"))))
      : null);
}
"""
