"""The ``arb`` command line."""
