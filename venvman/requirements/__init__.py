"""Requirements files: text to lines, options and requirements, and edits that keep their style.

Includes are followed and groups put together here. Which files there are, and what each is, is
said by :mod:`venvman.scan` and :mod:`venvman.roles`; pins are :mod:`venvman.lock`'s.
"""
