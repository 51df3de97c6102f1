"""The lawyers' workbench: queue, conversations, live messages."""
