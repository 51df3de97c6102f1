"""What is shipped for servers, tried with the programs that will read it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest
from typer.main import get_command

from bot.commands.cli import app
from bot.settings import Section, Settings, read_settings
from tests.support import missing

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
# What a server needs otherwise than by default; the comment above each says what the default is.
CHOSEN = {"database_url", "locality", "http.trusted_proxies"}
SETTING = re.compile(r"^(?:# )?([a-z_]+) = .*$")


def _text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


# fawen.example.toml


def _names(section: type[Section] | Section, prefix: str = "") -> Iterator[str]:
    model = section if isinstance(section, type) else type(section)
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _names(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _value(settings: Settings, dotted: str) -> object:
    value: object = settings
    for name in dotted.split("."):
        value = getattr(value, name)
    return value


def _uncommented() -> str:
    lines = _text("fawen.example.toml").splitlines()
    return "\n".join(line.removeprefix("# ") if SETTING.match(line) else line for line in lines)


def test_the_example_names_every_setting_and_no_other() -> None:
    raw = tomllib.loads(_uncommented())
    shown = {name for name, value in raw.items() if not isinstance(value, dict)}
    shown |= {f"{section}.{name}" for section, part in raw.items() if isinstance(part, dict) for name in part}
    assert shown == set(_names(Settings))


def test_the_example_shows_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "fawen.toml"
    # An empty text means "not given"; the names are checked above.
    lines = [line for line in _uncommented().splitlines() if not line.endswith(' = ""')]
    file.write_text("\n".join(lines), encoding="utf-8")
    given, default = read_settings({}, file), Settings()
    differing = {name for name in _names(Settings) if _value(given, name) != _value(default, name)}
    assert differing == CHOSEN


def test_the_example_is_accepted_as_it_is() -> None:
    settings = read_settings({}, DEPLOY / "fawen.example.toml")
    assert not settings.wechat.enabled
    assert settings.http.trusted_proxies == 1


def test_every_setting_of_the_example_is_explained_in_chinese() -> None:
    lines = _text("fawen.example.toml").splitlines()
    for number, line in enumerate(lines):
        if SETTING.match(line):
            above = list(takewhile(lambda one: one.startswith("# "), reversed(lines[:number])))
            assert above, line
            assert re.search(r"[一-鿿]{3}", above[0]), line


# systemd


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units, with an interpreter that exists on this machine."""
    copies = []
    for source in [*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")]:
        copy = tmp_path / source.name
        copy.write_text(source.read_text(encoding="utf-8").replace("/opt/fawen/.venv/bin/python", sys.executable))
        copies.append(copy)
    return copies


def test_systemd_accepts_the_units(units: list[Path]) -> None:
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze is not installed")
    assert {unit.name for unit in units} == {"fawen.service", "fawen-backup.service", "fawen-backup.timer"}
    command = ["systemd-analyze", "verify", "--man=no", *map(str, units)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if "fawen" in line]
    assert complaints == []
    assert done.returncode == 0, done.stderr


def _unit(name: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in _text(name).splitlines() if "=" in line and not line.startswith("#"))
    return {key: value for key, _, value in pairs}


@pytest.mark.parametrize("name", ["fawen.service", "fawen-backup.service"])
def test_the_services_are_locked_in(name: str) -> None:
    unit = _unit(name)
    assert unit["User"] == "fawen"
    assert unit["ProtectSystem"] == "strict"
    assert unit["NoNewPrivileges"] == "yes"
    assert unit["CapabilityBoundingSet"] == ""
    assert unit["StateDirectory"].split()[0] == "fawen"


def test_stopping_leaves_time_for_answers_under_way() -> None:
    from bot.app import DRAIN  # noqa: PLC0415
    from bot.commands.serve import GRACE  # noqa: PLC0415

    assert int(_unit("fawen.service")["TimeoutStopSec"]) > DRAIN.total_seconds() + GRACE


def test_the_units_run_commands_that_exist() -> None:
    for name in ("fawen.service", "fawen-backup.service"):
        assert _unit(name)["ExecStart"].partition("-m bot ")[2].split()[0] in _commands()
    assert "--keep 14" in _unit("fawen-backup.service")["ExecStart"]


def _commands() -> set[str]:
    return set(get_command(app).commands)  # type: ignore[attr-defined]


# container, scripts, manual


def _copied() -> list[str]:
    return re.findall(r"^COPY (\S+) \S+$", _text("Dockerfile"), re.MULTILINE)


def test_the_image_is_built_from_files_that_exist() -> None:
    assert {"locks/runtime.txt", "knowledge/", "bot/", "tests/platform/"} <= set(_copied())
    for path in _copied():
        assert (ROOT / path).exists(), path
        assert path.endswith("/") == (ROOT / path).is_dir()
    let_in = re.findall(r"^!(\S+)$", _text("Dockerfile.dockerignore"), re.MULTILINE)
    assert {path.rstrip("/") for path in _copied()} == set(let_in)


def test_the_image_is_plain_and_unprivileged() -> None:
    text = _text("Dockerfile")
    assert re.search(r"^FROM python:3\.12-slim-bookworm$", text, re.MULTILINE)
    assert "--require-hashes" in text
    assert re.search(r"^USER fawen$", text, re.MULTILINE)
    assert re.search(r"^VOLUME /data$", text, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\\\n.*readyz", text, re.MULTILINE)
    assert re.findall(r"https?://(?!127\.0\.0\.1)", text) == [], "package indexes are the builder's business"


def test_the_image_settings_are_accepted() -> None:
    environ = dict(re.findall(r"(FAWEN_\w+)=(\S+)", _text("Dockerfile")))
    settings = read_settings(environ)
    assert settings.http.host == "0.0.0.0"
    assert "FAWEN_DATABASE_URL" not in environ, "it would overrule the settings file"


@pytest.mark.parametrize("name", ["install.sh", "check.sh", "fawen.sh"])
def test_the_scripts_are_sound(name: str) -> None:
    subprocess.run(["sh", "-n", DEPLOY / name], check=True)
    for path in re.findall(r"\bdeploy/[\w.-]+\w", _text(name)):
        assert (ROOT / path).exists(), path


MANUAL = "上线手册.md"


def test_the_manual_names_commands_and_files_that_exist() -> None:
    text = _text(MANUAL)
    blocks = re.findall(r"^ *```\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    assert text.count("```") == 2 * len(blocks)
    lines = [line.strip() for block in blocks for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", text)
    calls = (re.match(r"(?:sudo )?(?:[A-Z_]+=\S+ )*fawen ([a-z]+)", line) for line in lines)
    used = {call[1] for call in calls if call}
    assert {"backup", "restore", "menu", "stats", "log"} <= used
    assert used <= _commands()
    for path in re.findall(r"(?<![/\w])(?:/opt/fawen/)?(deploy/[\w.-]*\w)", text):
        assert (ROOT / path).exists(), path


def test_the_manual_names_settings_that_exist() -> None:
    known = set(_names(Settings))
    for section, name in re.findall(r"`(http|wechat|web|answers|log)\.(\w+)`", _text(MANUAL)):
        assert f"{section}.{name}" in known


def test_the_manual_warns_of_every_refusal_in_the_log() -> None:
    whys = set(re.findall(r'Refused\(\d+, "(\w+)"\)', (ROOT / "bot/channels/wechat/codec.py").read_text()))
    assert whys
    for why in whys:
        assert f"`{why}`" in _text(MANUAL), why
