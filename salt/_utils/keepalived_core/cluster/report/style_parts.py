"""The page's style, by part; and how it is printed."""

TEXT = """
#pictures { display: grid; gap: .9rem; }
.cluster { background: var(--paper); border: 1px solid var(--line); border-radius: 12px;
  box-shadow: var(--shade); content-visibility: auto; contain-intrinsic-size: auto 420px; }
.cluster.folded { contain-intrinsic-size: auto 52px; }
.cluster summary { display: flex; flex-wrap: wrap; gap: .3rem .8rem; align-items: center;
  padding: .7rem 1rem; cursor: pointer; list-style: none; border-radius: 12px; }
.cluster summary::-webkit-details-marker { display: none; }
.cluster summary::before { content: ""; width: .5rem; height: .5rem; flex: none;
  border-right: 2px solid var(--dim); border-bottom: 2px solid var(--dim);
  transform: rotate(-45deg); }
.cluster details[open] > summary::before { transform: rotate(45deg); }
.cluster summary h3 { display: inline; overflow-wrap: anywhere; }
.cluster .where { margin-left: auto; color: var(--dim); font-size: .85rem;
  overflow-wrap: anywhere; }
.instance { padding: .2rem 1rem 1.1rem; }
.instance + .instance { border-top: 1px solid var(--line); padding-top: .9rem; }
.instance-head { display: flex; flex-wrap: wrap; gap: .2rem .7rem; align-items: center; }
.told { margin: .25rem 0 0; overflow-wrap: anywhere; }
.told b { font-weight: 600; }
.wire { container-type: inline-size; margin-top: .9rem; text-align: center; }
.clients { display: inline-block; font-size: .78rem; color: var(--dim); letter-spacing: .04em; }
.clients::after { content: ""; display: block; width: 0; height: 14px; margin: 2px auto 0;
  border-left: 2px solid var(--strong); }
.vips { display: flex; flex-wrap: wrap; justify-content: center; gap: .5rem; }
.vip { border: 2px solid var(--strong); border-radius: 999px; padding: .25rem 1rem;
  background: var(--raised); max-width: 100%; overflow-wrap: anywhere; line-height: 1.3; }
.vip .mono { font-weight: 650; font-size: 1rem; }
.vip span { display: block; font-size: .8rem; }
.vip.good { border-color: var(--good-line); background: var(--good-back); color: inherit; }
.vip.warn { border-color: var(--warn-line); background: var(--warn-back); color: inherit; }
.vip.bad { border-color: var(--bad-line); background: var(--bad-back); color: inherit; }
.vip.good span { color: var(--good); } .vip.warn span { color: var(--warn); }
.vip.bad span { color: var(--bad); }
.links { display: block; width: 100%; height: 54px; overflow: visible; }
.links path { fill: none; stroke: var(--strong); stroke-width: 1.5; stroke-dasharray: 4 4;
  vector-effect: non-scaling-stroke; }
.links path.on { stroke: var(--good-line); stroke-width: 4; stroke-dasharray: none; }
.links path.wrong { stroke: var(--bad-line); stroke-width: 4; stroke-dasharray: none; }
.nodes { display: grid; grid-template-columns: repeat(var(--columns, 3), minmax(0, 1fr));
  gap: 0 1rem; text-align: left; }
.nodes > li { display: flex; flex-direction: column; }
.node { border: 2px solid var(--line); border-radius: 10px; background: var(--raised);
  padding: .6rem .75rem; position: relative; }
.node.on { border-color: var(--good-line); background: var(--good-back); }
.node.wrong { border-color: var(--bad-line); background: var(--bad-back); }
.node.away { border-style: dashed; border-color: var(--unknown-line); }
.node header { display: flex; flex-wrap: wrap; gap: .2rem .5rem; align-items: center;
  justify-content: space-between; }
.node strong { overflow-wrap: anywhere; }
.node dl { display: grid; grid-template-columns: auto 1fr; gap: 0 .6rem; font-size: .85rem;
  margin-top: .3rem; }
.node dt { color: var(--dim); }
.node dd { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.node meter { display: none; }
.node .note { font-size: .85rem; color: var(--warn); margin-top: .25rem; overflow-wrap: anywhere; }
.node .holds { font-size: .82rem; font-weight: 600; margin-top: .3rem; color: var(--good); }
.node.wrong .holds { color: var(--bad); }
.tracks { display: flex; flex-direction: column; align-items: stretch; margin: 0 .75rem; }
.tracks li { position: relative; margin-top: 14px; border: 1px solid var(--line);
  border-radius: 8px; background: var(--paper); padding: .25rem .6rem; font-size: .82rem;
  line-height: 1.35; overflow-wrap: anywhere; }
.tracks li::before { content: ""; position: absolute; left: 50%; top: -15px; height: 14px;
  border-left: 2px solid var(--strong); }
.tracks span { display: block; color: var(--dim); }
.cols-many .links { display: none; }
.cols-many .nodes { grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: .8rem;
  margin-top: .8rem; }
@container (max-width: 420px) { .cols-2 .links { display: none; }
  .cols-2 .nodes { grid-template-columns: 1fr; gap: .8rem; margin-top: .8rem; } }
@container (max-width: 600px) { .cols-3 .links { display: none; }
  .cols-3 .nodes { grid-template-columns: 1fr; gap: .8rem; margin-top: .8rem; } }
@container (max-width: 800px) { .cols-4 .links, .cols-5 .links { display: none; }
  .cols-4 .nodes, .cols-5 .nodes { grid-template-columns: repeat(auto-fill, minmax(200px, 1fr));
  gap: .8rem; margin-top: .8rem; } }
#timeline-body { background: var(--paper); border: 1px solid var(--line); border-radius: 12px;
  padding: .7rem; box-shadow: var(--shade); position: relative; }
.zoom { display: flex; flex-wrap: wrap; gap: .3rem; }
#overview { display: block; width: 100%; height: 46px; cursor: grab; touch-action: none;
  border-radius: 6px; background: var(--raised); }
#lanes { display: grid; position: relative; margin-top: .5rem; overflow: hidden auto;
  max-height: 66vh;
  border: 1px solid var(--line); border-radius: 6px; touch-action: pan-y; cursor: grab; }
#lanes.moving, #overview.moving { cursor: grabbing; }
#lanes-all, #lanes-paper { grid-area: 1 / 1; }
#lanes-paper { display: block; position: sticky; top: 0; width: 100%; align-self: start; }
#tip { position: absolute; left: 0; top: 0; z-index: 3; max-width: 320px; pointer-events: none;
  background: var(--text); color: var(--paper); border-radius: 8px; padding: .4rem .6rem;
  font-size: .82rem; line-height: 1.4; overflow-wrap: anywhere; white-space: pre-line; }
#picked { min-height: 1.6rem; margin-top: .4rem; font-size: .9rem; overflow-wrap: anywhere; }
#legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .82rem;
  color: var(--dim); margin-bottom: .3rem; }
#legend li { display: flex; gap: .4rem; align-items: center; }
#legend canvas { width: 30px; height: 14px; flex: none; }
details > summary { cursor: pointer; }
#spans { margin-top: .5rem; font-size: .9rem; }
.sideways { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; background: var(--paper); }
caption { text-align: left; color: var(--dim); font-size: .85rem; padding: .3rem 0; }
th, td { text-align: left; padding: .4rem .7rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { color: var(--dim); font-weight: 600; font-size: .82rem; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
#number-table, #hub-body > .sideways { border: 1px solid var(--line); border-radius: 10px;
  background: var(--paper); padding: .1rem .5rem .3rem; }
#number-table { overflow-x: auto; }
#number-table td, #number-table th[scope="row"] { overflow-wrap: anywhere; }
#incident-table { border: 1px solid var(--line); border-radius: 10px; overflow: hidden;
  background: var(--paper); box-shadow: var(--shade); }
#sort-label { font-size: .88rem; color: var(--dim); }
#incident-titles, .incident { display: grid; align-items: center; gap: 0 .8rem; padding: 0 .9rem;
  grid-template-columns: 10.6rem 9rem minmax(7rem, 1.1fr) 5.4rem 5.4rem 6.6rem
  minmax(8rem, 2.4fr); }
.incident .state, #incident-titles .state { padding-left: .8rem; }
#incident-titles { border-bottom: 1px solid var(--line); background: var(--raised);
  scrollbar-gutter: stable; }
#incident-titles > * { padding: .3rem 0; font-size: .82rem; font-weight: 600; color: var(--dim); }
#incident-titles button { border: 0; background: none; padding: 0 .2rem; min-height: 1.6rem;
  font-weight: 600; margin-left: -.2rem; color: inherit; }
#incident-titles [aria-sort] button { color: var(--text); }
#incident-titles .n { text-align: right; }
#incident-rows { --row: 40; position: relative; overflow-y: auto; max-height: 70vh;
  scrollbar-gutter: stable; contain: strict; }
#incident-rows:focus-visible { outline-offset: -3px; }
.incident { position: absolute; left: 0; right: 0; top: 0; height: 40px; cursor: pointer;
  border-bottom: 1px solid var(--line); font-size: .88rem; }
.incident:hover { background: var(--raised); }
.incident > * { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
.incident .n { text-align: right; font-variant-numeric: tabular-nums; }
.incident .kind .badge { max-width: 100%; }
.incident .id { display: none; }
.incident button:focus-visible { outline-offset: -1px; }
#incident-print { display: none; }
@media (max-width: 900px) {
  #incident-titles, .incident { grid-template-columns: 9.8rem 8.6rem minmax(6rem, 1fr) 5rem 5rem
    6rem; }
  .incident .why, #incident-titles .why { display: none; }
}
@media (max-width: 760px) {
  .titles { position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }
  #incident-rows { --row: 92; }
  .incident { height: 92px; padding: .5rem .75rem; grid-template-columns: 1fr auto;
    grid-template-rows: repeat(3, minmax(0, auto)); gap: .05rem .6rem; align-content: center; }
  .incident .when { grid-area: 1 / 2; font-size: .8rem; }
  .incident .kind { grid-area: 1 / 1; }
  .incident .what { grid-area: 2 / 1; }
  .incident .long { grid-area: 2 / 2; }
  .incident .why { display: block; grid-area: 3 / 1 / 4 / 3; color: var(--dim);
    font-size: .82rem; }
  .incident .lost, .incident .state { display: none; }
}
#findings { display: grid; gap: .5rem; }
.finding { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: .6rem .9rem; border-left: 6px solid var(--strong); content-visibility: auto;
  contain-intrinsic-size: auto 110px; }
.finding.error { border-left-color: var(--bad-line); }
.finding.warning { border-left-color: var(--warn-line); }
.finding header { display: flex; flex-wrap: wrap; gap: .2rem .7rem; align-items: center; }
.finding p { overflow-wrap: anywhere; }
.finding .do { margin-top: .15rem; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; }
.facts dt { color: var(--dim); }
.facts dd { overflow-wrap: anywhere; min-width: 0; }
dialog { width: min(680px, calc(100vw - 1.5rem)); max-height: 88vh; border: 1px solid var(--line);
  border-radius: 14px; background: var(--paper); color: var(--text); padding: 1.1rem 1.3rem;
  box-shadow: 0 12px 48px #0006; }
dialog::backdrop { background: #0008; }
dialog .head { margin-bottom: .5rem; }
dialog h2 { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; font-size: 1.1rem; }
dialog h3 { margin-top: .9rem; font-size: .85rem; color: var(--dim); }
dialog .next { padding: .5rem .8rem; border-radius: 8px; background: var(--accent-back); }
dialog .buttons { display: flex; flex-wrap: wrap; gap: .4rem; margin-top: 1rem; }
#hub-body { display: grid; gap: .8rem; grid-template-columns: minmax(0, 1fr); }
@media (max-width: 760px) {
  #number-table table, #number-table tbody, #number-table tr, #number-table td,
  #number-table th[scope="row"] { display: block; padding: 0; border: 0; }
  #number-table caption { display: block; }
  #number-table thead { position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }
  #number-table tr { padding: .6rem .2rem; border-bottom: 1px solid var(--line); }
  #number-table td { display: flex; justify-content: space-between; gap: 1rem;
    text-align: right; white-space: normal; }
  #number-table td::before { content: attr(data-title); color: var(--dim); text-align: left; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: .35rem; }
  .zoom .quiet { flex: 1; }
  .keys { display: none; }
}
@page { margin: 12mm; }
@media print {
  :root, :root[data-theme] { color-scheme: light; }
  body { background: #fff; font-size: 10pt; }
  .skip, nav, .tools, #filter, .zoom, #tip, #picked, #lanes-help, #spans, #overview, #unfold,
  #sort-label, #incident-table, dialog { display: none !important; }
  .top { position: static; }
  .bar, main, footer { max-width: none; padding-left: 0; padding-right: 0; }
  .part { margin-top: 1.2rem; }
  .cluster, #timeline-body, #verdict { box-shadow: none; }
  .cluster, .finding { content-visibility: visible; }
  .cluster, .instance, .finding, #tiles div, #verdict, tr { break-inside: avoid; }
  h2, .cluster summary { break-after: avoid; }
  #tiles { grid-template-columns: repeat(auto-fit, minmax(80px, 1fr)); gap: .3rem; }
  #tiles div { padding: .3rem .45rem; }
  #tiles dd { font-size: 1.1rem; }
  .wire { margin-top: .3rem; }
  #lanes { max-height: none; overflow: visible; border: 0; }
  #lanes-all { display: none; }
  #lanes-paper { position: static; width: 100% !important; height: auto !important; }
  #incident-print { display: block; }
  #incident-print td, #incident-print th { padding: .15rem .4rem; font-size: 8.5pt; }
  #number-table th, #number-table td, .sideways th, .sideways td { font-size: 8pt;
    padding: .2rem .3rem; white-space: normal; }
  #number-table td, #number-table th[scope="row"] { overflow-wrap: normal; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
