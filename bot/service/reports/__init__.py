"""Reports on a period: the words from the figures, as a Word document and an Excel annex."""
