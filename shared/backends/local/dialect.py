"""The one shim between BigQuery's dialect and DuckDB's: views are written once, and run on both.

sqlglot translates. What it gets wrong is put right here; what nobody can put right is refused by name, so
that no query gives another answer on this machine than in BigQuery. Measured with sqlglot 30.30, DuckDB 2.0:

==========================  ====================================  =====================================
BigQuery                    sqlglot alone                         here
==========================  ====================================  =====================================
``DIV(a + b, c)``           ``a + b // c``                        ``((a + b) // (c))``
``COUNTIF`` of only NULLs   NULL                                  0
``TIMESTAMP_DIFF``          counts boundaries crossed             counts whole units passed
``WITH OFFSET``             counts from 1                         counts from 0
``EXTRACT(DAYOFWEEK)``      Sunday is 0                           Sunday is 1
``NUMERIC``                 three decimals                        nine decimals
``ARRAY_AGG(… LIMIT n)``    an error                              the first n
``CURRENT_TIMESTAMP()``     this machine's clock                  the moment the history is read at
``x / y``                   infinity where BigQuery has an error  refused: ``SAFE_DIVIDE``
``FORMAT``                  another text                          refused
==========================  ====================================  =====================================
"""

from __future__ import annotations

from functools import lru_cache

import sqlglot
from sqlglot import exp

from shared.clock import Instant
from shared.errors import MalformedError

_EXACT = {exp.DType.DECIMAL: "DECIMAL(38, 9)", exp.DType.BIGDECIMAL: "DECIMAL(38, 19)"}


@lru_cache(maxsize=512)
def to_duckdb(query: str, now: Instant) -> str:
    """``query`` in DuckDB's dialect, read at ``now``.

    Raises :class:`MalformedError` for what is no query of BigQuery's, or has no equal in DuckDB.
    """
    tree = parsed(query)
    _refuse(tree)
    _count_offsets_from_zero(tree)
    mended = tree.transform(lambda node: _mended(node, now))
    try:
        return mended.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)
    except sqlglot.errors.SqlglotError as exc:
        raise MalformedError(f"not understood by DuckDB: {exc}") from exc


def parsed(query: str) -> exp.Expr:
    """The syntax tree of one query in BigQuery's dialect."""
    try:
        return sqlglot.parse_one(query, read="bigquery")
    except sqlglot.errors.ParseError as exc:
        said = exc.errors[0]["description"] if exc.errors else exc
        raise MalformedError(f"not a query of BigQuery's: {said}") from exc
    except sqlglot.errors.SqlglotError as exc:
        raise MalformedError(f"not a query of BigQuery's: {exc}") from exc


def _refuse(tree: exp.Expr) -> None:
    for node in tree.walk():
        if isinstance(node, exp.Format):
            raise MalformedError("FORMAT gives another text in DuckDB: format where it is shown")
        if isinstance(node, exp.Div) and not _is_number(node.expression):
            raise MalformedError(
                f"{node.sql('bigquery')}: divide with SAFE_DIVIDE, or by a number that is not 0"
            )


def _is_number(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and float(node.this) != 0


def _count_offsets_from_zero(tree: exp.Expr) -> None:
    for unnest in list(tree.find_all(exp.Unnest)):
        offset = unnest.args.get("offset")
        if not isinstance(offset, exp.Identifier):
            continue
        ordinal = f"{offset.name}_from_one"
        unnest.set("offset", exp.to_identifier(ordinal))
        for column in list(tree.find_all(exp.Column)):
            if column.name == offset.name and not column.table:
                zero_based = exp.paren(exp.Sub(this=exp.column(ordinal), expression=exp.Literal.number(1)))
                is_output = isinstance(column.parent, exp.Select)
                column.replace(exp.alias_(zero_based, offset.name) if is_output else zero_based)


def _mended(node: exp.Expr, now: Instant) -> exp.Expr:
    match node:
        case exp.CurrentTimestamp():
            return exp.Anonymous(this="make_timestamptz", expressions=[exp.Literal.number(now)])
        case exp.IntDiv():
            whole = exp.IntDiv(this=exp.paren(node.this), expression=exp.paren(node.expression))
            return exp.paren(whole)
        case exp.CountIf():
            counted = exp.case().when(node.this, exp.Literal.number(1))
            return exp.Count(this=counted)
        case exp.TimestampDiff(unit=exp.Expr() as unit):
            unit = exp.Literal.string(unit.name)
            return exp.Anonymous(this="date_sub", expressions=[unit, node.expression, node.this])
        case exp.Extract() if node.name.upper() == "DAYOFWEEK":
            return exp.paren(exp.Add(this=node, expression=exp.Literal.number(1)))
        case exp.ArrayAgg(this=exp.Limit() as limited):
            node.set("this", limited.this)
            bounds = [exp.Literal.number(1), limited.expression]
            return exp.paren(exp.Anonymous(this="list_slice", expressions=[node, *bounds]))
        case exp.DataType() if node.this in _EXACT and not node.expressions:
            return exp.DataType.build(_EXACT[node.this], dialect="duckdb")
        case _:
            return node
