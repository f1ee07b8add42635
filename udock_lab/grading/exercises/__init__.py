"""The package's own exercises, a folder each; sources.py finds these and others."""
