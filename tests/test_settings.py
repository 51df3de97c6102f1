"""Settings: checked whole, one clear line per fault, secrets masked."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.commands.cli import app
from bot.settings import SettingsError, read_settings


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"FAWEN_DATABASE_URL": "mysql://x"}, "database_url (FAWEN_DATABASE_URL): must start with sqlite:///"),
        ({"FAWEN_HTTP__PORT": "eighty"}, "http.port (FAWEN_HTTP__PORT): Input should be a valid integer"),
        ({"FAWEN_HTTP__PORT": "70000"}, "http.port (FAWEN_HTTP__PORT)"),
        ({"FAWEN_NOTHING": "1"}, "nothing (FAWEN_NOTHING): Extra inputs are not permitted"),
        ({"FAWEN_HTTP__NOTHING": "1"}, "http.nothing (FAWEN_HTTP__NOTHING)"),
        (
            {"FAWEN_WECHAT__ENCODING_AES_KEY": "short"},
            "wechat.encoding_aes_key (FAWEN_WECHAT__ENCODING_AES_KEY): must be the 43",
        ),
        ({"FAWEN_WECHAT__TOKEN": "t"}, "wechat (FAWEN_WECHAT): app_id and secret and encoding_aes_key must be set"),
        ({"FAWEN_WECHAT__API_BASE": "ftp://x"}, "wechat.api_base (FAWEN_WECHAT__API_BASE): must start with https://"),
        ({"FAWEN_WECHAT__REPLY_DEADLINE": "6"}, "wechat.reply_deadline (FAWEN_WECHAT__REPLY_DEADLINE)"),
        ({"FAWEN_DEMO": "true", "FAWEN_HTTP__HOST": "0.0.0.0"}, "http.host must stay 127.0.0.1"),
        ({"FAWEN_HTTP": "x", "FAWEN_HTTP__PORT": "1"}, "http is not a section"),
    ],
)
def test_each_fault_is_one_clear_line(environ: dict[str, str], line: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(environ)
    assert any(line in fault for fault in caught.value.faults)
    assert all("\n" not in fault for fault in caught.value.faults)


def test_an_empty_value_of_the_example_file_is_its_default() -> None:
    assert read_settings({}).wechat.encoding_aes_key.get_secret_value() == ""


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"FAWEN_DATABASE_URL": "x", "FAWEN_HTTP__PORT": "x", "FAWEN_LOG__LEVEL": "loud"})
    assert len(caught.value.faults) == 3


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "fawen.toml"
    file.write_text('database_url = "sqlite:///a.db"\n[http]\nport = 1000\nhost = "0.0.0.0"\n', encoding="utf-8")
    settings = read_settings({"FAWEN_HTTP__PORT": "2000"}, file)
    assert (settings.database_url, settings.http.port, settings.http.host) == ("sqlite:///a.db", 2000, "0.0.0.0")


@pytest.mark.parametrize("text", ["port = ", "\xff\xfe", "[http]\nport = 'x'"])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "fawen.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError) as caught:
        read_settings({}, file)
    assert "fawen.toml" in str(caught.value) or "http.port" in str(caught.value)


def test_secrets_are_masked_when_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "FAWEN_WECHAT__TOKEN": "hush-token",
        "FAWEN_WECHAT__SECRET": "hush-secret",
        "FAWEN_WECHAT__APP_ID": "wx1",
        "FAWEN_WECHAT__ENCODING_AES_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFI",
        "FAWEN_DATABASE_URL": "postgresql+psycopg://u:hush-password@h/d",
    }.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, ["settings"])
    assert result.exit_code == 0
    assert "wechat.token = ********" in result.stdout
    assert "hush" not in result.stdout
    assert "abcdefghij" not in result.stdout
    assert "hush" not in repr(read_settings())


def test_serve_stops_with_one_line_per_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAWEN_HTTP__PORT", "x")
    monkeypatch.setenv("FAWEN_LOG__LEVEL", "loud")
    result = CliRunner().invoke(app, ["serve"])
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 2


def test_a_bad_locality_stops_the_start_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "locality.toml"
    file.write_text('county = "某县"\n[places.courthouse]\nname = "法院"\n', encoding="utf-8")
    monkeypatch.setenv("FAWEN_LOCALITY", str(file))
    monkeypatch.setenv("FAWEN_DATABASE_URL", f"sqlite:///{tmp_path}/x.db")
    result = CliRunner().invoke(app, ["serve"])
    assert result.exit_code == 2
    assert "unknown place 'courthouse'" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
