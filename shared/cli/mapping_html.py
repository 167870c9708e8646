"""The mapping report as one HTML file: inline style and drawings, nothing loaded from anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape

from shared.mapping.coverage import Cell, Unknown

_STYLE = """
:root { color-scheme: light dark; --good: #1a7f37; --fair: #9a6700; --bad: #cf222e; --line: #8c959f55; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: 13px; margin: .5rem 0 2rem; }
th, td { text-align: left; padding: .2rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.good { fill: var(--good); } .fair { fill: var(--fair); } .bad { fill: var(--bad); }
.key span { margin-right: 1.5rem; } .key i { display: inline-block; width: .8em; height: .8em; }
"""
_BAR, _GAP, _LABEL, _WIDTH, _COUNT = 16, 6, 190, 560, 150
_MAX_BARS = 60

_KEY = """<p class="key"><span><i style="background:var(--good)"></i> mapped, may be priced</span>
<span><i style="background:var(--fair)"></i> mapped, certificate refuses</span>
<span><i style="background:var(--bad)"></i> not mapped</span></p>"""

Bar = tuple[str, tuple[tuple[str, int], ...], str]  # label, parts by style class, text after the bar


def page(source: str, cells: Sequence[Cell], strange: Sequence[Unknown]) -> str:
    """The whole document for coverage cells and unknown codes."""
    markets, mapped = sum(cell.markets for cell in cells), sum(cell.mapped for cell in cells)
    certified = sum(cell.certified for cell in cells)
    refused = sum((cell.refused for cell in cells), Counter[str]())
    share = f"{100 * mapped / markets:.1f} %" if markets else "-"
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8"><title>Mapping report</title>',
            f"<style>{_STYLE}</style></head><body>",
            f"<h1>Mapping report</h1><p>{escape(source)}</p>",
            f"<p>{markets:,} markets, {mapped:,} mapped ({share}), {certified:,} of them may be priced.</p>",
            _KEY,
            "<h2>By league</h2>",
            chart(_bars(cells, "league")),
            "<h2>By Eastern day</h2>",
            chart(_bars(cells, "day")),
            "<h2>Refused because</h2>",
            chart([(code, (("bad", count),), f"{count:,}") for code, count in refused.most_common()]),
            "<h2>Unknown series, codes and templates</h2>",
            _table(
                ("what", "subject", "markets", "seen in", "text"),
                ((one.code, one.subject, one.count, one.example, one.text) for one in strange),
            ),
            "<h2>By league, day and kind</h2>",
            _table(
                ("league", "day", "kind", "markets", "mapped", "may be priced", "refused because"),
                (_row(cell) for cell in cells),
            ),
            "</body></html>\n",
        )
    )


def chart(bars: Sequence[Bar]) -> str:
    """Horizontal stacked bars on one scale, at most sixty; the rest is only counted."""
    shown = bars[:_MAX_BARS]
    longest = max((sum(size for _, size in parts) for _, parts, _ in shown), default=0)
    if not longest:
        return "<p>nothing</p>"
    height = len(shown) * (_BAR + _GAP)
    drawn = "".join(_bar(bar, row * (_BAR + _GAP), _WIDTH / longest) for row, bar in enumerate(shown))
    more = f"<p>and {len(bars) - len(shown)} more</p>" if len(bars) > len(shown) else ""
    width = _LABEL + _WIDTH + _COUNT
    return f'<svg role="img" viewBox="0 0 {width} {height}" width="100%">{drawn}</svg>{more}'


def _bar(bar: Bar, top: int, scale: float) -> str:
    label, parts, text = bar
    base = top + _BAR - 4
    drawn = [f'<text x="{_LABEL - 8}" y="{base}" text-anchor="end">{escape(label)}</text>']
    left = float(_LABEL)
    for style, size in parts:
        wide = size * scale
        drawn.append(f'<rect class="{style}" x="{left:.1f}" y="{top}" width="{wide:.1f}" height="{_BAR}"/>')
        left += wide
    drawn.append(f'<text x="{left + 6:.1f}" y="{base}">{escape(text)}</text>')
    return "".join(drawn)


def _bars(cells: Iterable[Cell], by: str) -> list[Bar]:
    sums: dict[str, list[int]] = {}
    for cell in cells:
        one = sums.setdefault(getattr(cell, by), [0, 0, 0])
        one[0] += cell.certified
        one[1] += cell.mapped - cell.certified
        one[2] += cell.markets - cell.mapped
    # Days newest first, leagues largest first: what is cut off is what matters least.
    order = sorted(sums, reverse=True) if by == "day" else sorted(sums, key=lambda key: -sum(sums[key]))
    return [(key or "no game", _parts(sums[key]), _counted(sums[key])) for key in order]


def _parts(sizes: Sequence[int]) -> tuple[tuple[str, int], ...]:
    return tuple(zip(("good", "fair", "bad"), sizes, strict=True))


def _counted(sizes: Sequence[int]) -> str:
    return f"{sizes[0] + sizes[1]:,} of {sum(sizes):,}"


def _row(cell: Cell) -> tuple[object, ...]:
    why = ", ".join(f"{code} {count:,}" for code, count in cell.refused.most_common())
    return (cell.league, cell.day, cell.kind.value, cell.markets, cell.mapped, cell.certified, why)


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(_cell(one) for one in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f'<td class="n">{value:,}</td>'
    return f"<td>{escape(str(value))}</td>"
