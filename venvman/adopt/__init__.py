"""What other tools' files say a project needs: pins, roots, and what cannot be taken over.

Nothing is written here: :mod:`venvman.workflow.adopting` makes sources and locks of it.
"""
