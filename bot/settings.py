"""Settings: `fawen.toml`, overridden by `FAWEN_*` environment variables; checked whole before anything starts."""

from __future__ import annotations

import base64
import binascii
import os
import tomllib
from collections.abc import Mapping
from datetime import date, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bot.conversation.handoff.duty import Hours
from bot.conversation.handoff.timing import Rules
from bot.service.erasure import Keeping
from bot.service.sessions import Limits

PREFIX = "FAWEN_"
SETTINGS_FILE = Path("fawen.toml")


class SettingsError(Exception):
    """Settings cannot be used; one line per fault, each naming the setting."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _database_url(value: str) -> str:
    if value.startswith(("sqlite:///", "postgresql+psycopg://")):
        return value
    raise ValueError("must start with sqlite:/// or postgresql+psycopg://")


def _aes_key(value: SecretStr) -> SecretStr:
    if not value.get_secret_value():
        return value
    try:
        key = base64.b64decode(value.get_secret_value() + "=", validate=True)
    except binascii.Error as error:
        raise ValueError("must be the 43 characters that the platform shows as EncodingAESKey") from error
    if len(key) != 32:  # noqa: PLR2004 - an AES-256 key
        raise ValueError("must be the 43 characters that the platform shows as EncodingAESKey")
    return value


def _base_url(value: str) -> str:
    if value.startswith(("https://", "http://")):
        return value.rstrip("/")
    raise ValueError("must start with https:// (or http:// for a simulator)")


def _own_url(value: str) -> str:
    return value and _base_url(value)


class Section(BaseModel):
    """Base of all sections: immutable, unknown names refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Http(Section):
    """Where the server listens."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on; 0 picks a free one")
    public_url: Annotated[str, AfterValidator(_own_url)] = Field(
        "", description="address under which citizens reach this server, for links in messages; empty: no such links"
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=5,
        description="reverse proxies in front: the client is that many places from the right of X-Forwarded-For",
    )


class Wechat(Section):
    """The official account. Leave `token` empty to run without WeChat."""

    token: SecretStr = Field(SecretStr(""), description="Token of the server configuration")
    encoding_aes_key: Annotated[SecretStr, AfterValidator(_aes_key)] = Field(
        SecretStr(""), description="EncodingAESKey; needed for compatible and safe mode"
    )
    app_id: str = Field("", description="AppID of the official account")
    secret: SecretStr = Field(SecretStr(""), description="AppSecret, for calls to the platform")
    mode: Literal["plain", "compatible", "safe"] = Field(
        "safe", description="message encryption as chosen in the platform's back office"
    )
    api_base: Annotated[str, AfterValidator(_base_url)] = Field(
        "https://api.weixin.qq.com", description="base address of the platform's API"
    )
    reply_deadline: float = Field(
        4.5, gt=0, le=4.9, description="seconds after which a reply goes through the API instead of the HTTP answer"
    )
    max_skew: int = Field(600, ge=30, description="seconds a request's timestamp may be away from our clock")
    body_limit: int = Field(65536, ge=4096, description="largest request body accepted, bytes")
    api_timeout: float = Field(10, gt=0, le=60, description="seconds after which a call to the platform is given up")

    @property
    def enabled(self) -> bool:
        """Whether the channel is on."""
        return bool(self.token.get_secret_value())

    @model_validator(mode="after")
    def _complete(self) -> Wechat:
        if self.enabled:
            needed = {"app_id": self.app_id, "secret": self.secret.get_secret_value()}
            if self.mode != "plain":
                needed["encoding_aes_key"] = self.encoding_aes_key.get_secret_value()
            missing = [name for name, value in needed.items() if not value]
            if missing:
                raise ValueError(f"{' and '.join(missing)} must be set, too, when token is set (mode {self.mode})")
        return self


class Web(Section):
    """The chat page at `/`."""

    enabled: bool = Field(True, description="serve the chat page")
    messages_per_minute: int = Field(20, ge=1, description="messages one visitor may send in a minute")
    address_messages_per_minute: int = Field(
        120, ge=1, description="messages one network address may send in a minute, all its visitors together"
    )


class Answers(Section):
    """What may be served."""

    confirmed_only: bool = Field(False, description="serve only entries that a lawyer of the county has confirmed")
    meaning: bool = Field(
        True,
        description="find what is meant alike, too; without it search goes by words alone, in a little less memory",
    )
    wrong_costs: float = Field(
        4.0, ge=1, le=99, description="how many right answers a wrong one outweighs: higher means more choices instead"
    )


def _spans(value: str) -> tuple[tuple[time, time], ...]:
    spans = []
    for part in value.split(","):
        start, _, end = part.strip().partition("-")
        span = time.fromisoformat(start), time.fromisoformat(end)
        if span[0] >= span[1]:
            raise ValueError(f"{part.strip()} ends before it begins")
        spans.append(span)
    return tuple(sorted(spans))


def _days(value: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(part.strip()) for part in value.split(",") if part.strip())


class Handoff(Section):
    """Handing over to lawyers."""

    hours: str = Field("08:30-12:00,14:30-18:00", description="duty hours of a working day, local time")
    holidays: str = Field("", description="days off beside the national calendar, e.g. 2027-02-05,2027-02-06")
    workdays: str = Field("", description="working days beside the national calendar, e.g. 2027-02-14")
    ask_minutes: float = Field(5, gt=0, description="a citizen who stops answering our questions is queued after this")
    escalate_minutes: float = Field(
        5, gt=0, description="nobody came: everyone on duty is told, after as long again the supervisors"
    )
    silent_minutes: float = Field(15, gt=0, description="a lawyer this long silent: the citizen returns to the queue")
    idle_hours: float = Field(24, gt=0, description="a citizen this long silent: the handoff ends politely")
    give_up_hours: float = Field(72, gt=0, description="nobody came at all: the citizen is told, and the handoff ends")

    template_id: str = Field(
        "", description="template message that tells a lawyer on WeChat that someone waits; empty: none"
    )
    robot_url: SecretStr = Field(SecretStr(""), description="webhook of a WeCom group robot to tell, too; empty: none")

    @field_validator("robot_url")
    @classmethod
    def _address(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not value.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("must start with https://")
        return value

    @field_validator("hours", "holidays", "workdays")
    @classmethod
    def _readable(cls, value: str, info: ValidationInfo) -> str:
        (_spans if info.field_name == "hours" else _days)(value)
        return value

    @cached_property
    def office_hours(self) -> Hours:
        """Duty hours as a value."""
        return Hours(_spans(self.hours), _days(self.holidays), _days(self.workdays))

    @property
    def rules(self) -> Rules:
        """The clock's limits as a value."""
        return Rules(
            ask=timedelta(minutes=self.ask_minutes),
            escalate=timedelta(minutes=self.escalate_minutes),
            silent=timedelta(minutes=self.silent_minutes),
            idle=timedelta(hours=self.idle_hours),
            give_up=timedelta(hours=self.give_up_hours),
        )


class Console(Section):
    """The pages of lawyers and staff."""

    enabled: bool = Field(True, description="serve login and workbench")
    idle_hours: float = Field(12, gt=0, le=168, description="a login not used for this long ends")
    longest_days: float = Field(7, gt=0, le=90, description="every login ends after this long")
    logins_per_minute: int = Field(20, ge=1, description="logins one network address may try in a minute")

    @property
    def limits(self) -> Limits:
        """How long a login lasts, as a value."""
        return Limits(timedelta(hours=self.idle_hours), timedelta(days=self.longest_days))


class Ratings(Section):
    """What follows a bad rating."""

    rectify_days: int = Field(5, ge=1, le=60, description="working days until a bad rating must be put right")


class Privacy(Section):
    """How long personal data is kept; the counts stay for ever."""

    keep_days: int = Field(730, ge=30, description="words of citizens and about them are erased after so many days")
    media_days: int = Field(180, ge=7, description="pictures and voice are erased after so many days")

    @property
    def keeping(self) -> Keeping:
        """Both as a value."""
        return Keeping(timedelta(days=self.keep_days), timedelta(days=self.media_days))


class Mail(Section):
    """The mail server that takes what the office sends. Leave `host` empty to send nothing."""

    host: str = Field("", description="mail server; empty: no e-mail is sent")
    port: int = Field(465, ge=1, le=65535, description="its port: 465 for ssl, 587 for starttls")
    tls: Literal["ssl", "starttls", "none"] = Field(
        "ssl", description="encryption; none only for a server on this machine"
    )
    user: str = Field("", description="account at the mail server; empty: none is needed")
    password: SecretStr = Field(SecretStr(""), description="its password or authorisation code")
    sender: str = Field("", description="address the e-mails come from")

    @model_validator(mode="after")
    def _complete(self) -> Mail:
        if self.host and "@" not in self.sender:
            raise ValueError("sender must be an e-mail address when host is set")
        if self.host and self.tls == "none" and self.password.get_secret_value() and not _is_here(self.host):
            raise ValueError("tls must not be none: the password would be readable on the way")
        return self


def _is_here(host: str) -> bool:
    return host in {"127.0.0.1", "::1", "localhost"}


class Digest(Section):
    """What departments are told every two days about questions on their items (两日一推送)."""

    enabled: bool = Field(False, description="make the digests; addresses are the offices' email in the locality file")


class Log(Section):
    """Structured logs on standard error; a citizen's words never go there."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="least severity shown")
    format: Literal["text", "json"] = Field("text", description="text for people, json for collectors")


class Settings(Section):
    """All settings with their defaults."""

    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        "sqlite:///var/fawen.db",
        repr=False,  # it may hold a password
        description="sqlite:///path/file.db or postgresql+psycopg://user:password@host/name",
    )
    locality: Path | None = Field(
        None, description="the county's offices, phones and hours (see deploy/locality.example.toml)"
    )
    statutes: str = Field(
        "",
        description="folder of full texts of laws: an article is offered where no entry fits, and stands beside entries lawyers read; empty: none",
    )
    cache: str = Field(
        "", description="folder where the indexed knowledge base is kept for quick starts; empty: ~/.cache/fawen"
    )
    demo: bool = Field(False, description="mark everything as a demonstration; listens on this machine only")
    http: Http = Http()
    wechat: Wechat = Wechat()
    web: Web = Web()
    answers: Answers = Answers()
    handoff: Handoff = Handoff()
    console: Console = Console()
    ratings: Ratings = Ratings()
    privacy: Privacy = Privacy()
    mail: Mail = Mail()
    digest: Digest = Digest()
    log: Log = Log()

    @model_validator(mode="after")
    def _demo_stays_home(self) -> Settings:
        if self.demo and self.http.host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError("demo settings are public knowledge: http.host must stay 127.0.0.1")
        return self


def read_settings(environ: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """Merge file and environment; SettingsError lists every fault, one line each."""
    path = file or SETTINGS_FILE
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8")) if file or path.exists() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError([f"{path}: {error}"]) from error
    for name, value in (os.environ if environ is None else environ).items():
        if name.startswith(PREFIX) and value != "":
            _put(raw, name, value)
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError([_line(fault["loc"], fault["msg"]) for fault in error.errors()]) from error


def _put(raw: dict[str, Any], name: str, value: str) -> None:
    *sections, last = name.removeprefix(PREFIX).lower().split("__")
    for section in sections:
        raw = raw.setdefault(section, {})
        if not isinstance(raw, dict):
            raise SettingsError([f"{name}: {section} is not a section"])
    raw[last] = value


def _line(where: tuple[int | str, ...], message: str) -> str:
    dotted = ".".join(map(str, where)) or "settings"
    variable = PREFIX + "__".join(map(str, where)).upper() if where else PREFIX + "*"
    return f"{dotted} ({variable}): {message.removeprefix('Value error, ')}"
