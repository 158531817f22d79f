"""Results as text and JSON: for each verb a module with its data and its drawing.

What commands found or came to are the values of :mod:`venvman.outcomes`, which are made elsewhere:
here nothing is looked up. How a terminal is written to is ``cli``'s.
"""
