"""Adapters behind the ports: ``local`` on one machine, ``gcp`` in Google Cloud."""
