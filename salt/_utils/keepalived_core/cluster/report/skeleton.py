"""What of the page is the same whatever is known: its landmarks, headings and controls."""

BODY = """\
<a class="skip" href="#main">To the content</a>
<header class="top">
<div class="bar">
<div class="brand">
<svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
<path d="M16 12v5M16 17C16 22 6 19 6 24M16 17C16 22 26 19 26 24M16 17v7"/>
<rect x="9" y="3" width="14" height="9" rx="4.5"/>
<circle cx="6" cy="26.5" r="2.5"/><circle class="on" cx="16" cy="26.5" r="3"/>
<circle cx="26" cy="26.5" r="2.5"/></svg>
<div><h1>keepalived</h1><p id="made"></p></div>
</div>
<nav aria-label="Parts of this page"><ul id="parts"></ul></nav>
<div class="tools">
<button type="button" id="theme" class="quiet"></button>
<button type="button" id="print" class="quiet">Print</button>
</div>
</div>
</header>
<main id="main" tabindex="-1">
<section id="now" class="part" aria-labelledby="now-title">
<h2 id="now-title" class="hidden">Now</h2>
<div id="verdict"></div>
<dl id="tiles"></dl>
<ul id="notes"></ul>
</section>
<form id="filter" role="search" aria-label="What this page shows">
<button type="button" id="filter-open" class="quiet" aria-expanded="false"
 aria-controls="filter-fields">Filter</button>
<div id="filter-fields">
<label>Cluster <select id="by-cluster"></select></label>
<label>Node <select id="by-node"></select></label>
<label>Instance <select id="by-instance"></select></label>
<label class="wide">Text <input id="by-text" type="search" autocomplete="off" spellcheck="false"
 placeholder="a name, an address, a cause"></label>
<fieldset id="by-kind"><legend>Incidents</legend></fieldset>
<button type="reset" id="by-none" class="quiet">Show all</button>
</div>
<p id="count" role="status" aria-live="polite"></p>
</form>
<section id="clusters" class="part" aria-labelledby="clusters-title">
<div class="head"><h2 id="clusters-title">Clusters</h2>
<button type="button" id="unfold" class="quiet" hidden></button></div>
<div id="pictures"></div>
</section>
<section id="timeline" class="part" aria-labelledby="timeline-title">
<div class="head"><h2 id="timeline-title">Timeline</h2>
<div class="zoom" role="group" aria-label="The time shown">
<button type="button" id="earlier" aria-label="Earlier">&#9664;</button>
<button type="button" id="out" aria-label="Show more time">&#8722;</button>
<select id="stretch" aria-label="How much time"></select>
<button type="button" id="in" aria-label="Show less time">+</button>
<button type="button" id="later" aria-label="Later">&#9654;</button>
<button type="button" id="before" class="quiet">Previous incident</button>
<button type="button" id="after" class="quiet">Next incident</button>
</div></div>
<div id="timeline-body">
<canvas id="overview" aria-hidden="true"></canvas>
<div id="lanes" tabindex="0" role="group" aria-label="Timeline"
 aria-describedby="lanes-help lanes-shown">
<div id="lanes-all"></div><canvas id="lanes-paper" role="img" aria-label="Lanes"></canvas>
</div>
<div id="tip" aria-hidden="true" hidden></div>
<p id="picked" role="status" aria-live="polite"></p>
<ul id="missing" class="warn small"></ul>
<ul id="legend" aria-label="What the lanes mean"></ul>
<p class="dim small"><span id="lanes-shown"></span> <span id="lanes-help"><span class="pointer">Drag
 to move, Ctrl and the wheel (or two fingers) to zoom.</span> <span class="keys">Keys: arrows move,
 + and &#8722; zoom, 0 shows all, n and p go to the next and the previous incident, Enter opens
 it.</span></span></p>
<details id="spans"><summary>The states shown, as a table</summary>
<div class="sideways" tabindex="0" role="region" aria-label="States shown"></div></details>
</div>
<p id="timeline-none" class="none" hidden></p>
</section>
<section id="incidents" class="part" aria-labelledby="incidents-title">
<div class="head"><h2 id="incidents-title">Incidents</h2>
<label id="sort-label">Sort by <select id="sort"></select></label></div>
<div id="incident-table" role="table" aria-label="Incidents">
<div role="rowgroup" class="titles"><div role="row" id="incident-titles"></div></div>
<div id="incident-rows" role="rowgroup" tabindex="0" aria-label="Incidents, scrollable"></div>
</div>
<div id="incident-print"></div>
<p id="incidents-none" class="none" hidden></p>
</section>
<section id="audit" class="part" aria-labelledby="audit-title">
<div class="head"><h2 id="audit-title">Audit</h2><p id="audit-when" class="dim"></p></div>
<ol id="findings"></ol>
<p id="audit-none" class="none" hidden></p>
</section>
<section id="numbers" class="part" aria-labelledby="numbers-title">
<div class="head"><h2 id="numbers-title">Numbers</h2><p id="numbers-when" class="dim"></p></div>
<div id="number-table" tabindex="0" role="region" aria-label="Numbers of each address"></div>
<p id="numbers-none" class="none" hidden></p>
</section>
<section id="hub" class="part" aria-labelledby="hub-title">
<div class="head"><h2 id="hub-title">Hub</h2></div>
<div id="hub-body"></div>
</section>
</main>
<dialog id="details" aria-labelledby="details-title"></dialog>
<footer><p id="foot"></p></footer>
"""
