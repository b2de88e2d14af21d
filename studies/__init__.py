"""Musescan's web application: the record, the studies, the people."""

__version__ = "0.1.0"
