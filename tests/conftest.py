"""Fixtures shared by all tests: time and ids that stand still, both database engines, a bot beside the simulator."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp import web

from bot.app import Parts, build_app
from bot.conversation.turn import Library
from bot.settings import Settings, read_settings
from bot.store.database import Database
from bot.store.migrate import migrate
from knowledge.load import KnowledgeBase, load
from knowledge.search.mixer import load_mixer
from knowledge.search.rank import Search, searcher
from tests import postgres
from tests.platform import Clock, Platform
from tests.support import Bot, Numbers, missing

START_URL = "FAWENTEST_POSTGRES_URL"


def pytest_configure(config: pytest.Config) -> None:
    """Start one PostgreSQL for the whole run, in the process that leads the others."""
    if not hasattr(config, "workerinput") and START_URL not in os.environ:
        server = postgres.start()
        if server is not None:
            os.environ[START_URL] = server.url
            config.add_cleanup(server.stop)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in list(os.environ):
        if name.startswith("FAWEN_"):
            monkeypatch.delenv(name)
    # Nothing is kept in the home of whoever runs the tests.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def clock() -> Clock:
    """Time that moves only when told: a Monday morning in the county."""
    return Clock(datetime(2026, 11, 23, 1, 0, tzinfo=UTC))


@pytest.fixture
def new_id() -> Numbers:
    """Ids that count up."""
    return Numbers()


@pytest.fixture(scope="session")
def base() -> KnowledgeBase:
    """The shipped knowledge base."""
    return load()


@pytest.fixture(scope="session")
def search(base: KnowledgeBase) -> Search:
    """The shipped search."""
    return searcher(base, load_mixer())


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """An empty database of its own on a real PostgreSQL."""
    server = os.environ.get(START_URL)
    if not server:
        missing("PostgreSQL is not installed")
    with postgres.database(server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database on each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/fawen.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A migrated store on each engine in turn."""
    opened = Database(database_url)
    migrate(opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_db(tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite store, where the engine does not matter."""
    opened = Database(f"sqlite:///{tmp_path}/fawen.db")
    migrate(opened.engine)
    yield opened
    opened.close()


@pytest.fixture
async def platform(clock: Clock) -> AsyncIterator[Platform]:
    """The platform in safe mode; at the end it fails on calls nobody expected."""
    async with Platform(clock=clock) as played:
        yield played


StartBot = Callable[..., AbstractAsyncContextManager[Bot]]


@pytest.fixture(scope="session")
def library(base: KnowledgeBase, search: Search) -> Library:
    """What flows look things up in, without local facts."""
    return Library(base, search, base.nowhere)


@pytest.fixture
def start_bot(tmp_path: Path, clock: Clock, library: Library, new_id: Numbers) -> StartBot:
    """`async with start_bot(platform, **parts) as bot`: the whole product on a free port, wired to the simulator."""

    @asynccontextmanager
    async def start(
        platform: Platform | None = None, *, parts: Parts | None = None, **environ: str
    ) -> AsyncIterator[Bot]:
        settings = _settings(tmp_path, platform, environ)
        chosen = dataclasses.replace(parts or Parts(), clock=clock, new_id=new_id)
        chosen = dataclasses.replace(chosen, library=chosen.library or library)
        app = await build_app(settings, chosen)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        if platform is not None:
            platform.bot_url = f"{url}/wechat"
        try:
            yield Bot(url, settings, chosen, app)
        finally:
            await runner.cleanup()

    return start


def _settings(folder: Path, platform: Platform | None, environ: dict[str, str]) -> Settings:
    values = {"FAWEN_DATABASE_URL": f"sqlite:///{folder}/fawen.db"}
    if platform is not None:
        values |= {
            "FAWEN_WECHAT__TOKEN": platform.token,
            "FAWEN_WECHAT__ENCODING_AES_KEY": platform.encoding_aes_key or "",
            "FAWEN_WECHAT__APP_ID": platform.app_id,
            "FAWEN_WECHAT__SECRET": platform.secret,
            "FAWEN_WECHAT__MODE": platform.mode,
            "FAWEN_WECHAT__API_BASE": platform.api_base,
        }
    return read_settings(values | environ)


@pytest.fixture
def rows() -> Callable[[Settings | Database | str, str], list[sa.Row[tuple[object, ...]]]]:
    """All rows a query gives, read straight from the database file or server."""

    def look(where: Settings | Database | str, query: str) -> list[sa.Row[tuple[object, ...]]]:
        url = where.url if isinstance(where, Database) else where.database_url if isinstance(where, Settings) else where
        engine = sa.create_engine(url)
        try:
            with engine.connect() as conn:
                return list(conn.execute(sa.text(query)).fetchall())
        finally:
            engine.dispose()

    return look
