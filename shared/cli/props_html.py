"""One player's ladder against the books' curve as one HTML file: inline style and drawing, nothing loaded.

Bars are the exchange's bracket of bid and ask, dots what each book makes of the same count once its margin is
gone, the line with its band what the comparison made of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from shared.money import MICROS

_STYLE = """
:root { color-scheme: light dark; --kalshi: #0969da; --books: #9a6700; --fair: #1a7f37; --line: #8c959f66; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: right; padding: .2rem .5rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, td.t { text-align: left; }
svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.grid { stroke: var(--line); } .bar { stroke: var(--kalshi); stroke-width: 7; stroke-linecap: round; }
.dot { fill: var(--books); fill-opacity: .75; } .fair { stroke: var(--fair); stroke-width: 2; fill: none; }
.band { fill: var(--fair); fill-opacity: .15; }
.key span { margin-right: 1.5rem; } .key i { display: inline-block; width: .8em; height: .8em; }
"""
_KEY = """<p class="key"><span><i style="background:var(--kalshi)"></i> exchange, bid to ask</span>
<span><i style="background:var(--books)"></i> bookmakers, margin removed</span>
<span><i style="background:var(--fair)"></i> fair value with its error</span></p>"""
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 900, 440, 52, 34, 12
_STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)

Rows = Sequence[Mapping[str, Any]]


def page(title: str, rungs: Rows, quotes: Rows) -> str:
    """The whole document; ``rungs`` and ``quotes`` as :mod:`shared.analytics.props` gives them."""
    ladder = sorted(rungs, key=lambda rung: rung["line"])
    return "\n".join(
        (
            "<!doctype html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
            f"<style>{_STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            _KEY,
            chart(ladder, quotes),
            _table(ladder),
            "</body></html>",
        )
    )


def chart(ladder: Rows, quotes: Rows) -> str:
    """The drawing alone."""
    lines = [row["line"] for row in (*ladder, *quotes)]
    if not lines:
        return "<p>nothing is quoted</p>"
    low, high = min(lines) - 1, max(lines) + 1

    def x(line: float) -> float:
        return _place(_LEFT + (line - low) / (high - low) * (_WIDTH - _LEFT - 10))

    def y(chance: float) -> float:
        return _place(_TOP + (1 - chance) * (_HEIGHT - _TOP - _BOTTOM))

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">']
    for step in _STEPS:
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{y(step)}" y2="{y(step)}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y(step) + 4}" text-anchor="end">{step:.0%}</text>')
    for rung in ladder:
        at = x(rung["line"])
        parts.append(f'<text x="{at}" y="{_HEIGHT - 12}" text-anchor="middle">{rung["threshold"]}+</text>')
    known = [rung for rung in ladder if rung["fair"] is not None]
    parts += _fair([(x(rung["line"]), rung) for rung in known], y)
    for quote in quotes:
        if quote["over_fair"] is not None:
            label = f"{quote['bookmaker']} over {quote['line']:g}: {quote['over_fair']:.1%}"
            parts.append(
                f'<circle class="dot" cx="{x(quote["line"])}" cy="{y(quote["over_fair"])}" r="4">'
                f"<title>{escape(label)}</title></circle>"
            )
    for rung in ladder:
        bid, ask = _share(rung["yes_bid"], 0.0), _share(rung["yes_ask"], 1.0)
        if rung["yes_bid"] is not None or rung["yes_ask"] is not None:
            at = x(rung["line"])
            parts.append(
                f'<line class="bar" x1="{at}" x2="{at}" y1="{y(bid)}" y2="{y(ask)}">'
                f"<title>{escape(rung['ticker'])}: {bid:.1%} to {ask:.1%}</title></line>"
            )
    return "\n".join([*parts, "</svg>"])


def _place(at: float) -> float:
    """A coordinate with one decimal."""
    return round(at, 1)


def _fair(known: Sequence[tuple[float, Mapping[str, Any]]], y: Any) -> Iterable[str]:
    """The curve of fair values, and the band between both buyers' views."""
    if not known:
        return []
    upper = [f"{at},{y(1 - rung['no_fair'])}" for at, rung in known]
    lower = [f"{at},{y(rung['yes_fair'])}" for at, rung in reversed(known)]
    curve = " ".join(f"{at},{y(rung['fair'])}" for at, rung in known)
    return [
        f'<polygon class="band" points="{" ".join([*upper, *lower])}"/>',
        f'<polyline class="fair" points="{curve}"/>',
    ]


def _share(price: int | None, empty: float) -> float:
    return empty if price is None else price / MICROS


def _table(ladder: Rows) -> str:
    names = ("rung", "bid", "ask", "fair", "way", "net edge YES", "net edge NO", "may be traded")
    head = "".join(f"<th>{name}</th>" for name in names)
    rows: list[tuple[str, ...]] = [
        (
            f"{rung['threshold']}+ (over {rung['line']:g})",
            _cents(rung["yes_bid"]),
            _cents(rung["yes_ask"]),
            "-" if rung["fair"] is None else f"{rung['fair']:.1%}",
            rung["method"] or "-",
            _edge(rung["yes_net_edge"]),
            _edge(rung["no_net_edge"]),
            "yes" if rung["tradable"] else "; ".join(rung["reasons"] or ()) or "no",
        )
        for rung in ladder
    ]
    body = "".join(
        "<tr>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[:-1])
        + f'<td class="t">{escape(row[-1])}</td></tr>'
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cents(price: int | None) -> str:
    return "-" if price is None else f"{100 * price / MICROS:g}c"


def _edge(edge: float | None) -> str:
    return "-" if edge is None else f"{100 * edge:+.2f}c"
