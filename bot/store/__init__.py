"""Tables, migrations and the group-commit writer."""
