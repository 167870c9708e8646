"""Adapters to the outside: each venue's words become ours here, and no field name of theirs goes further."""
