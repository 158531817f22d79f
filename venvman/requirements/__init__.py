"""Requirements files: text to lines, options and requirements, and edits that keep their style.

Includes are followed and groups put together here. Which files there are, and what each is, is
said by :mod:`venvman.project.scan` and :mod:`venvman.project.roles`; pins are
:mod:`venvman.lock`'s.
"""
