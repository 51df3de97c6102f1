"""The pages of figures: counts, yearly tasks, reports."""
