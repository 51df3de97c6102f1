"""The nginx site, tried with a real nginx in front of a real bot."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

import aiohttp
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.channels.wechat.codec import Codec
from bot.console.auth import COOKIE
from bot.settings import Wechat
from tests.conftest import StartBot
from tests.console.office import hire
from tests.platform import Clock, Platform
from tests.support import missing

DEPLOY = Path(__file__).parents[1] / "deploy"


def _text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Site:
    """A running nginx with our site."""

    http: int
    https: int
    tls: ssl.SSLContext
    folder: Path


SiteBefore = Callable[[int], Site]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _certificate(folder: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=fawen.example.gov.cn", "-addext", "subjectAltName=DNS:fawen.example.gov.cn",
         "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip


def _site(folder: Path, upstream: int) -> tuple[Site, Path]:
    """Our site on free ports of the loopback, all its files in `folder`."""
    if shutil.which("nginx") is None or shutil.which("openssl") is None:
        missing("nginx and openssl are not installed")
    _certificate(folder)
    http, https = _free_port(), _free_port()
    site = _text("nginx.conf")
    for shipped, tried in {
        "/etc/nginx/fawen": str(folder),
        "/var/log/nginx": str(folder),
        "listen 80;": f"listen 127.0.0.1:{http};",
        "listen 443 ssl;": f"listen 127.0.0.1:{https} ssl;",
        "127.0.0.1:8080": f"127.0.0.1:{upstream}",
    }.items():
        assert shipped in site
        site = site.replace(shipped, tried)
    (folder / "site.conf").write_text(site, encoding="utf-8")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"pid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\nhttp {{ {temporary} include {folder}/site.conf; }}\n"
    )
    tls = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
    return Site(http, https, tls, folder), main


def _nginx(main: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = ["nginx", "-p", str(main.parent), "-e", str(main.parent / "error.log"), "-c", str(main), *args]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_nginx_accepts_the_site(tmp_path: Path) -> None:
    _, main = _site(tmp_path, 8080)
    done = _nginx(main, "-t")
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


@pytest.fixture
def site_before(tmp_path: Path) -> Iterator[SiteBefore]:
    """`site_before(port)`: nginx with our site in front of that port."""
    started: list[Path] = []

    def start(upstream: int) -> Site:
        folder = tmp_path / "nginx"
        folder.mkdir()
        site, main = _site(folder, upstream)
        # nginx returns once it listens, and goes on in the background.
        done = _nginx(main)
        assert done.returncode == 0, done.stderr
        started.append(main)
        return site

    yield start
    for main in started:
        _nginx(main, "-s", "stop")


def _signature_query(token: str) -> str:
    """The query that `fawen-check` makes, by the shell it is written for."""
    function = re.search(r"^signed\(\) \{.*?^\}", _text("check.sh"), re.MULTILINE | re.DOTALL)
    assert function is not None
    done = subprocess.run(["sh", "-c", f"{function[0]}\nsigned '{token}'"], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_check_script_signs_like_the_platform() -> None:
    codec = Codec(Wechat(token=SecretStr("Token123"), app_id="wx1", secret=SecretStr("s"), mode="plain"))
    query = dict(parse_qsl(_signature_query("Token123")))
    assert codec.verify_url(query, datetime.now(UTC)) == "fawen-echo"


async def test_the_live_line_of_the_workbench_through_nginx(
    start_bot: StartBot, site_before: SiteBefore, clock: Clock
) -> None:
    async with start_bot(FAWEN_HTTP__TRUSTED_PROXIES="1") as bot:
        site = site_before(int(bot.url.rpartition(":")[2]))
        base = f"https://fawen.example.gov.cn:{site.https}"
        engine = sa.create_engine(bot.settings.database_url)
        token = hire(engine, "zhang", clock)
        engine.dispose()
        async with (
            _visitor(site, "127.0.0.2") as lawyer,
            lawyer.ws_connect(
                f"{base}/workbench/socket",
                headers={"Origin": "https://fawen.example.gov.cn", "Cookie": f"{COOKIE}={token}"},
            ) as line,
        ):
            await line.send_json({"type": "read", "id": "nothing", "number": 1})
            assert (await line.receive_json())["type"] == "refused"


async def test_a_visitor_through_nginx(start_bot: StartBot, site_before: SiteBefore, platform: Platform) -> None:
    limits = {"FAWEN_HTTP__TRUSTED_PROXIES": "1", "FAWEN_WEB__ADDRESS_MESSAGES_PER_MINUTE": "1"}
    async with start_bot(platform, **limits) as bot:
        site = site_before(int(bot.url.rpartition(":")[2]))
        base = f"https://fawen.example.gov.cn:{site.https}"

        async with _visitor(site, "127.0.0.2") as one, _visitor(site, "127.0.0.3") as two:
            async with one.get(f"{base}/") as page:
                assert page.status == 200
                assert page.headers.getall("Strict-Transport-Security") == ["max-age=31536000"]
                for header in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"):
                    assert len(page.headers.getall(header)) == 1
                assert page.cookies["fawen_visitor"]["secure"]
                assert "/" not in page.headers["Server"], "no version"
            assert await _say(one, base, "message-1") == 200
            assert await _say(one, base, "message-2") == 429
            assert await _say(one, base, "message-3", {"X-Forwarded-For": "9.9.9.9"}) == 429, "a forged address"
            async with two.get(f"{base}/"):
                pass
            assert await _say(two, base, "message-4") == 200, "another address has its own limit"
            for name in ("metrics", "readyz", "healthz"):
                async with one.get(f"{base}/{name}") as closed:
                    assert closed.status == 403
            async with one.post(f"{base}/wechat", data=b"x" * 70_000) as large:
                assert large.status == 413
            async with one.get(f"http://127.0.0.1:{site.http}/a?b=c", allow_redirects=False) as plain:
                assert plain.status == 301
                assert plain.headers["Location"] == "https://fawen.example.gov.cn/a?b=c"

        async with _visitor(site, "127.0.0.1") as monitor, monitor.get(f"{base}/readyz") as ready:
            assert ready.status == 200
        log = (site.folder / "fawen.access.log").read_text()
        assert '"GET /a"' in log
        assert "b=c" not in log, "queries carry openids"


async def test_the_platform_through_nginx(start_bot: StartBot, site_before: SiteBefore) -> None:
    token = "Token123"
    settings = {"FAWEN_WECHAT__TOKEN": token, "FAWEN_WECHAT__APP_ID": "wx1", "FAWEN_WECHAT__SECRET": "s"}
    async with start_bot(FAWEN_WECHAT__MODE="plain", FAWEN_WECHAT__MAX_SKEW="10000000000", **settings) as bot:
        site = site_before(int(bot.url.rpartition(":")[2]))
        base = f"https://fawen.example.gov.cn:{site.https}"
        async with _visitor(site, "127.0.0.2") as platform:
            async with platform.get(f"{base}/wechat?{_signature_query(token)}") as answer:
                assert (answer.status, await answer.text()) == (200, "fawen-echo")
            async with platform.get(f"{base}/wechat?{_signature_query('wrong')}") as answer:
                assert answer.status == 403


async def test_a_stopped_bot_is_a_quick_502(site_before: SiteBefore) -> None:
    site = site_before(_free_port())
    url = f"https://fawen.example.gov.cn:{site.https}/wechat"
    async with _visitor(site, "127.0.0.2") as platform, platform.get(url) as answer:
        assert answer.status == 502, "the platform tries again"


class _Loopback(aiohttp.abc.AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        return [
            aiohttp.abc.ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self) -> None:
        """Nothing to close."""


def _visitor(site: Site, address: str) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(ssl=site.tls, local_addr=(address, 0), resolver=_Loopback())
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=20))


async def _say(session: aiohttp.ClientSession, base: str, key: str, headers: dict[str, str] | None = None) -> int:
    message = {"key": key, "text": "你好"}
    async with session.post(f"{base}/chat/messages", json=message, headers=headers) as answer:
        return answer.status
