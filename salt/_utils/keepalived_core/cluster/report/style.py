"""The page's style: colours, type, layout.  Each colour is a pair, for light and for dark."""

TEXT = """
:root {
  color-scheme: light dark;
  --back: light-dark(#f4f6f8, #0e141a);
  --paper: light-dark(#ffffff, #161e26);
  --raised: light-dark(#f4f7f9, #1d2731);
  --text: light-dark(#16202a, #e4eaf0);
  --dim: light-dark(#52606d, #a3b0bc);
  --line: light-dark(#d5dde4, #2d3a46);
  --strong: light-dark(#8896a3, #6f7f8d);
  --accent: light-dark(#14559f, #8fbcff);
  --accent-back: light-dark(#e4eefa, #14283f);
  --good: light-dark(#14622e, #7bd99b);
  --good-back: light-dark(#dff3e5, #13301f);
  --good-line: light-dark(#2c9150, #3f9d63);
  --warn: light-dark(#744b00, #ecc26c);
  --warn-back: light-dark(#fcf0d4, #352808);
  --warn-line: light-dark(#c98a12, #b8892b);
  --bad: light-dark(#9f1f18, #ffa39b);
  --bad-back: light-dark(#fbe4e2, #3d1715);
  --bad-line: light-dark(#cf3a31, #e0564c);
  --unknown: light-dark(#4a4f7a, #bfc3f2);
  --unknown-back: light-dark(#e9eaf8, #22253f);
  --unknown-line: light-dark(#7a80bd, #7e84c4);
  --shade: 0 1px 2px light-dark(#16202a14, #00000066), 0 4px 16px light-dark(#16202a0d, #00000033);
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; }
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
h1, h2, h3, h4, p, ul, ol, dl, dd { margin: 0; }
ul, ol { padding: 0; list-style: none; }
h1 { font-size: 1.05rem; letter-spacing: -.01em; line-height: 1.2; }
h2 { font-size: 1.25rem; letter-spacing: -.01em; }
h3 { font-size: 1.05rem; }
h4 { font-size: .95rem; }
a { color: var(--accent); }
code, .mono { font-family: var(--mono); font-size: .92em; overflow-wrap: anywhere; }
.dim { color: var(--dim); }
.small { font-size: .85rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
[hidden] { display: none !important; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
main:focus { outline: none; }
.skip { position: absolute; left: -999px; top: 0; z-index: 9; padding: .5rem 1rem;
  background: var(--paper); }
.skip:focus { left: 0; }
button, select, input { font: inherit; color: inherit; background: var(--paper);
  border: 1px solid var(--strong); border-radius: 7px; padding: .3rem .65rem; min-height: 2.1rem; }
button { cursor: pointer; }
button:hover { background: var(--raised); border-color: var(--accent); }
button:disabled { color: var(--dim); cursor: default; border-color: var(--line); }
button.quiet { background: transparent; border-color: var(--line); }
button.quiet:hover { border-color: var(--accent); background: var(--raised); }
button.link { border: 0; background: none; padding: 0; min-height: 0; color: var(--accent);
  text-decoration: underline; text-underline-offset: 2px; font-family: var(--mono);
  font-size: .9em; }
.top { position: sticky; top: 0; z-index: 5; background: var(--paper);
  border-bottom: 1px solid var(--line); }
.bar { max-width: 1360px; margin: auto; padding: .5rem 1rem; display: flex; gap: .5rem 1.25rem;
  align-items: center; flex-wrap: wrap; }
.brand { display: flex; gap: .6rem; align-items: center; }
.brand p { font-size: .8rem; color: var(--dim); line-height: 1.3; }
.mark { width: 34px; height: 34px; fill: none; stroke: var(--strong); stroke-width: 1.6;
  flex: none; }
.mark rect { fill: var(--accent-back); stroke: var(--accent); }
.mark circle { fill: var(--paper); }
.mark .on { fill: var(--good-line); stroke: var(--good-line); }
nav { flex: 1; min-width: 0; }
nav ul { display: flex; gap: .15rem; overflow-x: auto; scrollbar-width: none; }
nav a { display: block; padding: .3rem .6rem; border-radius: 7px; text-decoration: none;
  color: var(--dim); white-space: nowrap; font-size: .92rem; }
nav a:hover { background: var(--raised); color: var(--text); }
nav a .n { font-size: .8em; padding: 0 .4em; border-radius: 9px; background: var(--raised);
  border: 1px solid var(--line); margin-left: .25em; }
.tools { display: flex; gap: .4rem; }
main, footer { max-width: 1360px; margin: auto; padding: 1rem; }
footer { color: var(--dim); font-size: .85rem; border-top: 1px solid var(--line); }
.part { margin-top: 2rem; }
#now { margin-top: .25rem; }
.head { display: flex; flex-wrap: wrap; gap: .35rem 1rem; align-items: center;
  justify-content: space-between; margin-bottom: .7rem; }
.none { padding: 1.1rem; border: 1px dashed var(--strong); border-radius: 10px;
  color: var(--dim); }
.good { color: var(--good); } .warn { color: var(--warn); }
.bad { color: var(--bad); } .unknown { color: var(--unknown); }
.badge { display: inline-flex; gap: .35em; align-items: center; padding: .08em .6em .08em .5em;
  border-radius: 999px; font-size: .8rem; font-weight: 600; line-height: 1.55; white-space: nowrap;
  border: 1px solid var(--strong); background: var(--raised); }
.badge i { font-style: normal; font-weight: 700; }
.badge.good { background: var(--good-back); border-color: var(--good-line); }
.badge.warn { background: var(--warn-back); border-color: var(--warn-line); }
.badge.bad { background: var(--bad-back); border-color: var(--bad-line); }
.badge.unknown { background: var(--unknown-back); border-color: var(--unknown-line); }
#verdict { display: flex; gap: .9rem; align-items: center; padding: .9rem 1.1rem;
  border-radius: 12px; border: 1px solid var(--line); border-left: 8px solid var(--strong);
  background: var(--paper); box-shadow: var(--shade); }
#verdict.good { border-left-color: var(--good-line); color: inherit; }
#verdict.warn { border-left-color: var(--warn-line); color: inherit; }
#verdict.bad { border-left-color: var(--bad-line); color: inherit; }
#verdict.unknown { border-left-color: var(--unknown-line); color: inherit; }
#verdict strong { font-size: 1.25rem; line-height: 1.25; display: block; }
#verdict .sign { font-size: 1.5rem; width: 2.6rem; height: 2.6rem; border-radius: 50%; flex: none;
  display: grid; place-items: center; font-weight: 700; }
#verdict.good .sign { background: var(--good-back); color: var(--good); }
#verdict.warn .sign { background: var(--warn-back); color: var(--warn); }
#verdict.bad .sign { background: var(--bad-back); color: var(--bad); }
#verdict.unknown .sign { background: var(--unknown-back); color: var(--unknown); }
#tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: .7rem;
  margin-top: .8rem; }
#tiles div { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: .6rem .8rem; display: flex; flex-direction: column; }
#tiles dt { color: var(--dim); font-size: .8rem; }
#tiles dd { font-size: 1.35rem; font-weight: 650; letter-spacing: -.02em; line-height: 1.3;
  font-variant-numeric: tabular-nums; }
#tiles dd.more { font-size: .8rem; font-weight: 400; color: var(--dim); letter-spacing: 0; }
#notes li { margin-top: .6rem; padding: .5rem .8rem; border-radius: 8px; color: var(--warn);
  background: var(--warn-back); border: 1px solid var(--warn-line); }
#filter { position: sticky; top: var(--top); z-index: 4; margin-top: 1rem;
  padding: .55rem .8rem; background: var(--paper); border: 1px solid var(--line);
  border-radius: 10px; display: flex; flex-wrap: wrap; gap: .4rem .9rem; align-items: center;
  box-shadow: var(--shade); }
#filter-fields { display: contents; }
#filter label { display: flex; gap: .4rem; align-items: center; font-size: .88rem;
  color: var(--dim); }
#filter select { max-width: 11rem; color: var(--text); }
#filter input[type="search"] { width: 13rem; color: var(--text); }
#filter-open { display: none; }
#by-kind { border: 0; padding: 0; margin: 0; display: flex; flex-wrap: wrap; gap: .3rem;
  align-items: center; }
#by-kind legend { float: left; font-size: .88rem; color: var(--dim); margin-right: .4rem;
  padding: 0; }
#by-kind button { min-height: 1.8rem; padding: .1rem .6rem; font-size: .82rem;
  border-radius: 999px; border-color: var(--line); }
#by-kind button[aria-pressed="true"] { background: var(--accent); border-color: var(--accent);
  color: var(--paper); }
#count { font-size: .85rem; color: var(--dim); margin-left: auto; }
@media (max-width: 760px) {
  .top { position: static; }
  .bar { padding: .4rem .75rem; }
  nav { order: 3; flex: 1 0 100%; }
  .tools { margin-left: auto; }
  main, footer { padding: .75rem; }
  #filter-open { display: inline-block; }
  #filter-fields { display: none; width: 100%; order: 3; }
  #filter.open #filter-fields { display: grid; grid-template-columns: 1fr 1fr; }
  #filter label { flex-direction: column; align-items: stretch; gap: .1rem; }
  #filter label.wide, #by-kind { grid-column: 1 / -1; }
  #filter select, #filter input[type="search"] { width: 100%; max-width: none; }
  #filter.open { max-height: 80vh; overflow: auto; }
  #tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@media (prefers-reduced-motion: no-preference) {
  html { scroll-behavior: smooth; }
  button, nav a { transition: background .12s, border-color .12s; }
}
"""
