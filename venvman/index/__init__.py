"""Package indexes: pages, files and metadata, over HTTP or from a folder."""
