"""What an operator types after `python -m bot`."""

from __future__ import annotations

import typer

from bot.commands import backup as backing
from bot.commands import demo, platform, records, users
from bot.commands import export as exporting
from bot.commands import knowledge as content
from bot.commands import serve as serving

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Fawen (法问): a county's assistant for legal, petition and approval questions. "
    "Settings come from ./fawen.toml and FAWEN_* variables; `settings` lists them all.",
)
app.command("serve")(serving.serve)
app.command("settings")(serving.show_settings)
app.command("log")(records.log)
app.command("stats")(records.stats)
app.command("demo-data")(demo.demo_data)
app.command("simulate")(platform.simulate)
app.add_typer(platform.menus, name="menu")
app.add_typer(users.users, name="user")
app.add_typer(users.shifts, name="roster")
app.command("export")(exporting.export)
app.add_typer(content.knowledge, name="knowledge")
app.command("backup")(backing.backup)
app.command("restore")(backing.restore)
