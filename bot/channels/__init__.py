"""Platforms on one side, Inbound and Reply on the other. No business rules."""
