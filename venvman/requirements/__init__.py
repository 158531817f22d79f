"""Requirements files: text to values, and edits that keep their style."""
