"""The style of the report, for light and dark, from a small screen to a large one. Outcomes have the page's colours."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--back:#fff;--text:#1c2127;--soft:#5b6570;--line:#dfe3e8;--panel:#f6f8fa;
--hit:#2c7fb8;--stale:#b8860b;--validated:#5aa59a;--miss:#8c8f94;--bypass:#b9a6c9;--error:#c0392b}
@media(prefers-color-scheme:dark){:root{--back:#14171a;--text:#e7eaed;--soft:#9aa5b1;--line:#343b43;--panel:#1c2126;
--hit:#4fa3dd;--stale:#d9a93a;--validated:#63b8ab;--miss:#7c8188;--bypass:#a48fb8;--error:#e5685b}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:64rem;margin:0 auto;padding:2rem 1rem 4rem}
h1{font-size:1.5rem;line-height:1.25;margin:0}
h2{font-size:1.15rem;margin:2.5rem 0 .6rem}
p{margin:.4rem 0}
.soft{color:var(--soft);font-size:.875rem}
.tiles{display:grid;grid-template-columns:2fr 1fr 1fr 1fr;gap:.75rem;margin:1.5rem 0 0;padding:0}
.tiles div{background:var(--panel);border:1px solid var(--line);border-radius:10px;padding:.9rem 1rem}
.tiles dt{color:var(--soft);font-size:.875rem}
.tiles dd{margin:.1rem 0 0;font-size:1.5rem;font-weight:600;line-height:1.2;font-variant-numeric:tabular-nums}
.tiles .main dt+dd{font-size:2.75rem;color:var(--hit)}
.tiles .more{color:var(--soft);font-size:.8125rem;font-weight:400;line-height:1.5;margin:.25rem 0 0}
@media(max-width:48rem){.tiles{grid-template-columns:1fr 1fr}.tiles .main{grid-column:1/-1}}
@media(max-width:26rem){.tiles{grid-template-columns:1fr}}
figure{margin:0}
figure>svg{display:block;width:100%;height:14rem;border-bottom:1px solid var(--soft)}
.times{display:flex;justify-content:space-between;gap:1rem;color:var(--soft);font-size:.8125rem;margin-top:.25rem}
.grid{stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke;fill:none}
.hit{fill:var(--hit)}.stale{fill:var(--stale)}.validated{fill:var(--validated)}
.miss{fill:var(--miss)}.bypass{fill:var(--bypass)}.error{fill:var(--error)}
.table{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
th,td{text-align:left;vertical-align:top;padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:500;font-size:.8125rem}
.number{width:1%;text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.name{overflow-wrap:anywhere;min-width:5.5rem}
.outcome{white-space:nowrap}
@media(max-width:30rem){thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{display:block;border-bottom:1px solid var(--line);padding:.4rem 0}
td{display:flex;gap:.75rem;border:0;padding:.1rem 0}.number{text-align:left}
td::before{content:attr(data-label);flex:0 0 6rem;color:var(--soft);font-size:.8125rem}}
meter{width:100%;height:1rem}
"""
