"""Pages for those behind the counter: login, account, workbench."""
