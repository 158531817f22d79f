"""The checks of ``venvman doctor``, one module per family, in one ordered table."""
