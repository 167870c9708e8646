"""Loaded by the interpreter before any program, where this folder is on PYTHONPATH: lays clock and trap.

The program itself knows nothing of it: the product holds no hook for tests.
"""

from tests.crash import prepare

prepare.prepare()
