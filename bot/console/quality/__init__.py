"""What citizens think of the service, and what is done about it: ratings by entry, bad ones put right."""
