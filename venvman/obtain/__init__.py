"""Lock entries to wheels of the store: what it has, what has to be fetched, and what is built."""
