"""The page's script: one incident, in a dialog."""

TEXT = r"""
let detailed = null;

function fact(name, value) {
  return value ? [el("dt", {}, name), el("dd", {}, value)] : [];
}

function nodesText(list) {
  return list.map((place) => texts[place]).join(", ");
}

function showDetails(each) {
  detailed = each;
  const {row} = each;
  const owners = row[at.owners].map(([instance, nodes]) =>
    texts[instance] + ": " + (nodesText(nodes) || "no node")).join("; ");
  const lame = row[at.not_ready].map(([node, why]) => texts[node] + " (" + texts[why] + ")");
  const known = KINDS[each.kind] || {meaning: "", next: ""};
  const was = row[at.was].map((place) => words(texts[place]));
  const actions = row[at.actions];
  const close = button("Close", () => $("details").close(), {class: "quiet"});
  fill($("details"),
    el("div", {class: "head"},
      el("h2", {id: "details-title"}, badge(words(each.kind), kindLevel(each.kind)),
        each.cluster + " " + each.instance),
      badge(each.open ? "open" : "resolved", each.open ? "bad" : "good")),
    el("dl", {class: "facts"},
      fact("Opened", utc(each.opened, true) + " UTC"),
      fact("Resolved", each.open ? "" : utc(row[at.resolved], true) + " UTC"),
      fact("Lasted", span(each.seconds) + (each.open ? ", and still open" : "")),
      fact("Without an owner", span(each.without)),
      fact("With several owners", each.several ? span(each.several) : ""),
      fact("", row[at.exact] ? "" : "A node was not heard meanwhile: it may have been longer."),
      fact("Instances", each.instances.length > 1 ? each.instances.join(", ") : ""),
      fact("Nodes", each.nodes.join(", ")),
      fact("Owners", owners),
      fact("Could not take over", lame.join("; ")),
      fact("Was", was.length ? was.join(", then ") + ", and became worse" : ""),
      fact("Planned", each.planned ? "some of it happened while a change was under way" : "")),
    el("h3", {}, "Cause"), el("p", {}, each.cause || "The rows say nothing of the cause."),
    el("h3", {}, "What it means"), el("p", {}, known.meaning),
    el("h3", {}, "Next step that is safe"),
    el("p", {class: "next"}, each.open ? known.next : "Nothing: it is over."),
    actions.length ? [el("h3", {}, "What was done"), el("ul", {}, actions.map(([when, text]) =>
      el("li", {}, el("span", {class: "mono dim"}, utc(when) + " "), texts[text])))] : null,
    el("h3", {}, "Its rows, one by one"),
    el("p", {}, el("code", {}, "salt-run keepalived.explain " + each.id)),
    el("div", {class: "buttons"},
      button("In the timeline", () => {
        $("details").close();
        goTo(each);
        $("timeline").scrollIntoView();
        $("lanes").focus({preventScroll: true});
      }, {}),
      button("Newer", () => nextDetails(-1), {class: "quiet"}),
      button("Older", () => nextDetails(1), {class: "quiet"}), close));
  if (!$("details").open) $("details").showModal();
  else close.focus();
}

function nextDetails(way) {
  const place = list.shown.indexOf(detailed);
  const next = list.shown[place + way];
  if (place >= 0 && next) showDetails(next);
}

function startDetails() {
  // a click beside it closes it
  $("details").addEventListener("click", (event) => {
    if (event.target === $("details")) $("details").close();
  });
}
"""
