/** The page's look: light and dark after the reader's system, ink on white on paper. Nothing is fetched. */
export const STYLE = `
:root{color-scheme:light dark;--paper:#fbfaf8;--card:#fff;--ink:#1c1d20;--soft:#5d6068;--line:#dedbd4;--rule:#ece9e3;
--rewards:#0f6f63;--area:#0f6f6326;--price:#3b57b5;--quality:#8a5a00;--owed:#a8321f;--revised:#b3470d;--paid:#3b57b5}
@media (prefers-color-scheme:dark){:root{--paper:#15161a;--card:#1c1e23;--ink:#eceae5;--soft:#a2a4ac;--line:#34363d;--rule:#2a2c32;
--rewards:#58c7b5;--area:#58c7b52e;--price:#93a9f5;--quality:#e0b055;--owed:#ff9b87;--revised:#ffa063;--paid:#93a9f5}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 -apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Liberation Sans",system-ui,sans-serif}
main{max-width:1320px;margin:0 auto;padding:2.5rem 1.25rem 4rem}
header{border-bottom:2px solid var(--ink);padding-bottom:1rem;margin-bottom:1.5rem}
h1{font-size:1.9rem;line-height:1.2;margin:0;overflow-wrap:anywhere;letter-spacing:-.01em}
h2{font-size:1.15rem;margin:2.5rem 0 .75rem}
p{margin:.4rem 0;max-width:75ch}
.kicker{color:var(--soft);font-size:.85rem;letter-spacing:.06em;text-transform:uppercase;margin:0 0 .35rem}
.soft,.unit{color:var(--soft)}
.hash{font-family:ui-monospace,"Cascadia Mono","SF Mono",Menlo,Consolas,"Liberation Mono",monospace;font-size:.85em;overflow-wrap:anywhere}
.sum{display:flex;flex-wrap:wrap;gap:1px;background:var(--line);border:1px solid var(--line);margin:0;border-radius:6px;overflow:hidden}
.sum div{background:var(--card);padding:.8rem 1rem;flex:1 1 15.5rem}
.sum dt{color:var(--soft);font-size:.82rem}
.sum dd{margin:.1rem 0 0;font-variant-numeric:tabular-nums;white-space:nowrap}
.sum .total dd{font-weight:650}
.sum .owed dd{color:var(--owed);font-weight:650}
.tail{color:var(--soft);font-size:.8em}
.nil{color:var(--soft)}
.plots{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:1rem}
.plots .wide{grid-column:1/-1}
.plot{margin:0;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.9rem 1rem .8rem;break-inside:avoid;min-width:0}
figcaption{font-weight:600;margin-bottom:.7rem;display:flex;flex-wrap:wrap;gap:.1rem .6rem;align-items:baseline;overflow-wrap:anywhere}
figcaption .unit{font-weight:400;font-size:.85rem}
.frame{display:grid;grid-template-columns:auto minmax(0,1fr);grid-template-rows:150px auto;column-gap:.6rem}
.wide .frame{grid-template-rows:210px auto}
.frame svg{width:100%;height:100%;overflow:visible;display:block}
.ticks{position:relative;min-width:3.6rem;font-size:.75rem;color:var(--soft);font-variant-numeric:tabular-nums}
.ticks span{position:absolute;right:0;transform:translateY(50%);line-height:1;white-space:nowrap}
.ends small{font-size:1em}
.ends{grid-column:2;display:flex;justify-content:space-between;gap:1rem;font-size:.75rem;color:var(--soft);padding-top:.45rem}
.rule{stroke:var(--rule);stroke-width:1;fill:none;vector-effect:non-scaling-stroke}
.course{fill:none;stroke:var(--rewards);stroke-width:1.6;stroke-linejoin:round;vector-effect:non-scaling-stroke}
.area{fill:var(--area)}
.price .course{stroke:var(--price)}
.quality .course{stroke:var(--quality)}
.dot{fill:none;stroke-width:7;stroke-linecap:round;vector-effect:non-scaling-stroke}
.dot.revised{stroke:var(--revised)}.dot.paid{stroke:var(--paid)}.dot.gap{stroke:var(--owed);stroke-width:5}
.key{font-weight:400;font-size:.8rem;color:var(--soft)}
.key::before{content:"";display:inline-block;width:.55em;height:.55em;border-radius:50%;margin-right:.35em;background:currentColor}
.key.revised::before{background:var(--revised)}.key.paid::before{background:var(--paid)}.key.gap::before{background:var(--owed)}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:6px;background:var(--card)}
.scroll:focus-visible,summary:focus-visible{outline:2px solid var(--price);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.78rem}
caption{text-align:left;color:var(--soft);padding:.6rem .55rem .3rem}
th,td{padding:.26rem .45rem;text-align:left;font-weight:400;vertical-align:top}
thead th{color:var(--soft);border-bottom:1px solid var(--line);font-weight:600;white-space:nowrap}
tbody tr+tr>*{border-top:1px solid var(--rule)}
.figure{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tbody th.figure{text-align:left}
tfoot>*>*{border-top:2px solid var(--ink);font-weight:650}
tr.edge>*{font-weight:650}
.mark{color:var(--revised);white-space:nowrap}
.debt{color:var(--owed)}
details{margin-top:.6rem;font-size:.85rem}
summary{cursor:pointer;color:var(--soft);width:max-content;max-width:100%}
details .scroll{margin-top:.5rem;max-height:20rem;overflow:auto}
footer{margin-top:2.5rem;border-top:1px solid var(--line);padding-top:1rem;font-size:.85rem;color:var(--soft)}
footer code{font-family:ui-monospace,Menlo,Consolas,"Liberation Mono",monospace;color:var(--ink);overflow-wrap:anywhere}
@media (max-width:700px){main{padding:1.25rem .9rem 3rem}h1{font-size:1.45rem}.plots{grid-template-columns:minmax(0,1fr)}
.sum div{flex-basis:100%;display:flex;justify-content:space-between;align-items:baseline;gap:0 1rem;flex-wrap:wrap;padding:.5rem .8rem}.sum dd{margin:0 0 0 auto;font-size:.95rem}.ends small{display:none}
.ticks{min-width:4.2rem}}
@page{size:A4 landscape;margin:12mm}
@media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#aaa;--rule:#ddd;
--rewards:#0f6f63;--area:#0f6f6326;--price:#3b57b5;--quality:#8a5a00;--owed:#a8321f;--revised:#b3470d;--paid:#3b57b5}
body{font-size:10pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}main{max-width:none;padding:0}
.plots{grid-template-columns:repeat(2,minmax(0,1fr))}.frame{grid-template-rows:25mm auto}.wide .frame{grid-template-rows:30mm auto}header{padding-bottom:.5rem;margin-bottom:.8rem}h1{font-size:16pt}h2{margin:1.1rem 0 .5rem}p{max-width:none}.plots{gap:.6rem}.plot{padding:.5rem .7rem}figcaption{margin-bottom:.4rem}.sum div{padding:.4rem .7rem}footer{margin-top:1rem;break-inside:avoid}
.scroll{overflow:visible;border:0}table{font-size:7.6pt}.tail{font-size:.86em}th,td{padding:.12rem .35rem}thead{display:table-header-group}tfoot{display:table-row-group}tr{break-inside:avoid}
h2{break-after:avoid}details:not([open]){display:none}details .scroll{max-height:none}}
`.trim();
