"""Administration: accounts, roster, settings, audit log, announcements, the system's state."""
