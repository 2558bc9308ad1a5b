"""The page's script: its head, light and dark, paper; and the start of all parts."""

TEXT = r"""
const THEMES = [["", "Light or dark: as the system"], ["light", "Light"], ["dark", "Dark"]];

function startTheme() {
  const root = document.documentElement;
  let now = 0;
  const made = $("theme");
  const show = () => {
    const [name, label] = THEMES[now];
    if (name) root.dataset.theme = name;
    else delete root.dataset.theme;
    made.textContent = name ? label : "Auto";
    made.setAttribute("aria-label", "Colours: " + (name ? label : "as the system has them"));
    made.title = label;
    document.dispatchEvent(new Event("themechange"));
  };
  made.addEventListener("click", () => {
    now = (now + 1) % THEMES.length;
    show();
  });
  show();
  let before = "";
  addEventListener("beforeprint", () => {
    before = root.dataset.theme || "";
    root.dataset.theme = "light";
  });
  addEventListener("afterprint", () => {
    if (before) root.dataset.theme = before;
    else delete root.dataset.theme;
  });
}

// How old the page is, as long as it is open.
function sayAge() {
  const old = Math.max(0, (Date.now() - sheet.time) / 1000);
  $("made").textContent = utc(LENGTH) + " UTC, " + (old < 90 ? "just made"
    : span(old).split(" ").slice(0, 2).join(" ") + " ago");
}

function startParts() {
  const open = incidents.filter((each) => each.open).length;
  const numbers = {clusters: sheet.clusters.length, incidents: open ? open + " open"
    : incidents.length, audit: sheet.audit ? sheet.audit.findings.length : null};
  const names = [["now", "Now"], ["clusters", "Clusters"], ["timeline", "Timeline"],
    ["incidents", "Incidents"], ["audit", "Audit"], ["numbers", "Numbers"], ["hub", "Hub"]];
  fill($("parts"), names.map(([id, name]) => el("li", {}, el("a", {href: "#" + id}, name,
    numbers[id] ? el("span", {class: "n"}, numbers[id]) : null))));
  $("foot").textContent = "Made by salt-run keepalived.report from " + (sheet.hub ? "the hub's file"
    : "the nodes' journals") + (sheet.asked ? " and fresh answers of the nodes" : "")
    + ". All times are UTC. It shows " + utc(0) + " to " + utc(LENGTH) + ". This page asks for "
    + "nothing and sends nothing."
    + (sheet.timeline.cut ? " Of lanes with very many changes the oldest were left out." : "");
}

function startTop() {
  const {style} = document.documentElement;
  const top = document.querySelector(".top");
  const stays = matchMedia("(min-width: 761px)");
  // what a link leads to must not lie below what stays at the top
  const measured = () => {
    const above = stays.matches ? top.offsetHeight : 0;
    style.setProperty("--top", above + "px");
    style.scrollPaddingTop = above + $("filter").offsetHeight + 14 + "px";
  };
  measured();
  const watch = new ResizeObserver(measured);
  watch.observe(top);
  watch.observe($("filter"));
  $("print").addEventListener("click", () => print());
}

startTheme();
startTop();
sayAge();
setInterval(sayAge, 30000);
startFilter();
showVerdict();
showTiles();
startClusters();
startTimeline();
startDetails();
startIncidents();
startAudit();
startNumbers();
startHub();
startParts();
for (const each of listeners) each();
$("by-none").disabled = true;
"""
