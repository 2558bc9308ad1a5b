"""The page's script: the list of incidents; only what is seen of it exists."""

TEXT = r"""
const list = {shown: [], pool: [], tall: 40, sort: "opened", down: true};
const PRINTED = 100;
const EXTRA = 6;

const SORTS = {
  opened: {title: "Opened (UTC)", of: (each) => each.opened},
  kind: {title: "Kind", of: (each) => -(KINDS[each.kind]?.place ?? 99)},
  name: {title: "Where", of: (each) => each.cluster + "\n" + each.instance, up: true},
  seconds: {title: "Lasted", of: (each) => each.seconds},
  without: {title: "No owner", of: (each) => each.without},
  open: {title: "State", of: (each) => Number(each.open)},
};
const CELLS = [["when", "opened"], ["kind", "kind"], ["what", "name"], ["long n", "seconds"],
  ["lost n", "without"], ["state", "open"], ["why", null]];

function sortIncidents() {
  const {of, up} = SORTS[list.sort];
  const way = (list.down ? 1 : -1) * (up ? -1 : 1);
  list.shown.sort((a, b) => {
    const one = of(a), other = of(b);
    return (one < other ? 1 : one > other ? -1 : 0) * way || b.opened - a.opened
      || a.number - b.number;
  });
}

function newRow() {
  const cells = CELLS.map(([name]) => el("div", {role: "cell", class: name}));
  const link = el("button", {type: "button", class: "link"});
  cells[0].append(link);
  const made = {row: el("div", {role: "row", class: "incident"}, cells), cells, link, each: null};
  made.row.addEventListener("click", () => showDetails(made.each));
  return made;
}

function fillRow(made, place) {
  const each = list.shown[place];
  made.row.style.transform = "translateY(" + place * list.tall + "px)";
  made.row.setAttribute("aria-rowindex", String(place + 2));
  if (made.each === each) return;
  made.each = each;
  const [, kind, what, long, lost, state, why] = made.cells;
  made.link.textContent = utc(each.opened);
  made.link.setAttribute("aria-label", "Details of " + each.id + ", " + utc(each.opened));
  fill(kind, badge(words(each.kind), kindLevel(each.kind)));
  what.textContent = each.cluster + " " + each.instance;
  what.title = what.textContent;
  long.textContent = span(each.seconds);
  lost.textContent = each.without ? span(each.without) : "\u2013";
  fill(state, each.open ? badge("open", "bad") : el("span", {class: "dim"}, "resolved"));
  why.textContent = each.cause || "not known";
  why.title = why.textContent;
}

// Puts the rows that are seen, and a few around them, into their places.
function placeRows() {
  const box = $("incident-rows");
  const first = Math.max(0, Math.floor(box.scrollTop / list.tall) - EXTRA);
  const most = Math.ceil(box.clientHeight / list.tall) + 2 * EXTRA;
  const needed = Math.max(0, Math.min(most, list.shown.length - first));
  while (list.pool.length < needed) {
    const made = newRow();
    list.pool.push(made);
    box.append(made.row);
  }
  // each place has its element for as long as it is seen, and so keeps the focus
  for (const made of list.pool) made.place = -1;
  for (let place = first; place < first + needed; place += 1) {
    const made = list.pool[place % list.pool.length];
    made.place = place;
    fillRow(made, place);
  }
  for (const made of list.pool) made.row.hidden = made.place < 0;
}

function showIncidents() {
  list.shown = incidents.filter(wantedIncident);
  sortIncidents();
  arrange(true);
  say("incidents", sheet.incidents ? count(list.shown.length, "incident") : "");
}

function arrange(anew) {
  const box = $("incident-rows");
  list.tall = Number(getComputedStyle(box).getPropertyValue("--row")) || 40;
  const all = list.shown.length * list.tall;
  $("incident-all").style.height = all + "px";
  box.style.height = Math.min(all, Math.round(window.innerHeight * 0.7)) + "px";
  if (anew) box.scrollTop = 0;
  $("incident-table").setAttribute("aria-rowcount", String(list.shown.length + 1));
  $("incident-table").hidden = !list.shown.length;
  $("incidents-none").hidden = list.shown.length > 0;
  $("sort-label").hidden = list.shown.length < 2;
  placeRows();
}

function focusRow(place) {
  const box = $("incident-rows");
  const wanted = Math.max(0, Math.min(list.shown.length - 1, place));
  const y = wanted * list.tall;
  if (y < box.scrollTop) box.scrollTop = y;
  if (y + list.tall > box.scrollTop + box.clientHeight) {
    box.scrollTop = y + list.tall - box.clientHeight;
  }
  placeRows();
  list.pool.find((made) => made.place === wanted)?.link.focus({preventScroll: true});
}

function setSort(name, down) {
  list.sort = name;
  list.down = down;
  $("sort").value = name;
  for (const [key, title] of Object.entries(list.titles)) {
    if (key === name) title.setAttribute("aria-sort", down === !SORTS[key].up ? "descending"
      : "ascending");
    else title.removeAttribute("aria-sort");
    const sign = key === name ? (down === !SORTS[key].up ? " \u2193" : " \u2191") : "";
    title.firstChild.textContent = SORTS[key].title + sign;
  }
}

function startTitles() {
  list.titles = {};
  for (const [place, [name, sort]] of CELLS.entries()) {
    const title = el("div", {role: "columnheader", class: name});
    if (sort) {
      title.append(button(SORTS[sort].title, () => {
        setSort(sort, list.sort === sort ? !list.down : true);
        sortIncidents();
        arrange(true);
      }));
      list.titles[sort] = title;
    } else title.append(place === CELLS.length - 1 ? "Cause" : "");
    $("incident-titles").append(title);
  }
  fill($("sort"), Object.entries(SORTS).map(([key, {title}]) =>
    el("option", {value: key}, title.replace(" (UTC)", ""))));
  $("sort").addEventListener("change", () => {
    setSort($("sort").value, true);
    sortIncidents();
    arrange(true);
  });
  setSort("opened", true);
}

function printedIncidents() {
  const rows = list.shown.slice(0, PRINTED).map((each) => el("tr", {},
    el("td", {class: "mono"}, utc(each.opened)), el("td", {}, words(each.kind)),
    el("td", {}, each.cluster + " " + each.instance), el("td", {class: "n"}, span(each.seconds)),
    el("td", {class: "n"}, each.without ? span(each.without) : "\u2013"),
    el("td", {}, each.open ? "open" : "resolved"), el("td", {}, each.cause)));
  const titles = ["Opened (UTC)", "Kind", "Where", "Lasted", "No owner", "State", "Cause"];
  fill($("incident-print"), !rows.length ? null : el("table", {},
    el("caption", {}, list.shown.length > PRINTED ? PRINTED + " of "
      + count(list.shown.length, "incident") : count(list.shown.length, "incident")),
    el("thead", {}, el("tr", {}, titles.map((title) => el("th", {scope: "col"}, title)))),
    el("tbody", {}, rows)));
}

function startIncidents() {
  const box = $("incident-rows");
  box.append(el("div", {id: "incident-all", "aria-hidden": "true"}));
  $("incidents-none").textContent = sheet.incidents === null
    ? "No hub runs on this master, so nobody keeps incidents. The state keepalived.master switches "
      + "it on." : incidents.length ? "No incident fits the filter." : "No incident in this time.";
  startTitles();
  box.addEventListener("scroll", onFrame(placeRows));
  box.addEventListener("keydown", (event) => {
    const made = list.pool.find((each) => each.link === document.activeElement);
    const ways = {ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9};
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    focusRow(made ? made.place + way : Math.floor(box.scrollTop / list.tall));
  });
  addEventListener("resize", onFrame(() => arrange(false)));
  addEventListener("beforeprint", printedIncidents);
  listeners.push(showIncidents);
}
"""
