"""The values that all stages share: names, sources, targets, options, metadata, errors, events.

They come from nowhere and do nothing: no file is read here and no process started.
"""
