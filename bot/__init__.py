"""The assistant: channels, desk, conversation, records."""

VERSION = "0.1.0"
