"""Pure core: a turn in, an outcome out. No I/O, no clock, no randomness of its own."""
