"""Legal-service figures from the records: every number can be opened to the rows behind it, and adds up."""
