"""The assistant: channels, desk, conversation, records."""
