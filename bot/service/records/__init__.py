"""The consultation log: finding records, telling one whole, correcting, exporting, and who looked at them."""
