"""The verbs: one function each, the stages composed. See ``docs/development/architecture.md``."""
