"""Everything the bot says, as pure functions: a job's data in, a card out. No file here sends anything."""
