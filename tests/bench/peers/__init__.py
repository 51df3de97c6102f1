"""The bots Fawen is measured beside: each a few lines, as its own documentation has it."""
