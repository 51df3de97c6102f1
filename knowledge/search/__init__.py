"""Search: normalising, an inverted index, ranking and one calibrated confidence."""
