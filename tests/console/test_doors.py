"""Every page of the console against every role: who may open what stands in one table here."""

from __future__ import annotations

import aiohttp
import pytest
import sqlalchemy as sa

from bot.console.auth import COOKIE
from bot.console.mount import DOORS
from tests.console.office import hire
from tests.platform import Clock
from tests.support import Bot

ROLES = ("lawyer", "supervisor", "staff", "admin")
# Method and path, and the roles that may: l awyer, s upervisor, o ffice staff, a dmin.
TABLE: dict[tuple[str, str], str] = {
    ("GET", "/console/figures"): "soa",
    ("GET", "/console/figures/tasks"): "sa",
    ("POST", "/console/figures/tasks"): "sa",
    ("GET", "/console/reports"): "soa",
    ("GET", "/console/reports/word"): "soa",
    ("GET", "/console/reports/excel"): "soa",
    ("GET", "/console/reports/digests"): "soa",
    ("GET", "/console/reports/digests/{id}"): "soa",
    ("POST", "/console/reports/digests/{id}/send"): "sa",
    ("POST", "/console/reports/digests/{id}/link"): "sa",
    ("GET", "/console/knowledge"): "lsoa",
    ("POST", "/console/knowledge/wordings"): "lsoa",
    ("POST", "/console/knowledge/wordings/{id}/drop"): "lsoa",
    ("GET", "/console/knowledge/entries"): "lsoa",
    ("GET", "/console/knowledge/pending"): "lsoa",
    ("GET", "/console/knowledge/due"): "lsoa",
    ("GET", "/console/knowledge/try"): "lsoa",
    ("GET", "/console/knowledge/new"): "lsoa",
    ("POST", "/console/knowledge/new"): "lsoa",
    ("POST", "/console/knowledge/preview"): "lsoa",
    ("GET", "/console/knowledge/entries/{id}"): "lsoa",
    ("POST", "/console/knowledge/entries/{id}"): "lsoa",
    ("GET", "/console/knowledge/editions/{id}"): "lsoa",
    ("POST", "/console/knowledge/editions/{id}"): "lsoa",
    ("GET", "/console/knowledge/entries/{id}/versions"): "lsoa",
    ("POST", "/console/knowledge/entries/{id}/restore"): "lsoa",
    ("GET", "/console/knowledge/confirm"): "ls",
    ("GET", "/console/knowledge/confirm/print"): "ls",
    ("POST", "/console/knowledge/confirm"): "ls",
    ("POST", "/console/knowledge/confirm/undo"): "ls",
    ("GET", "/console/admin"): "sa",
    ("GET", "/console/admin/users"): "a",
    ("POST", "/console/admin/users"): "a",
    ("GET", "/console/admin/users/{id}"): "a",
    ("POST", "/console/admin/users/{id}"): "a",
    ("POST", "/console/admin/users/{id}/password"): "a",
    ("POST", "/console/admin/users/{id}/disable"): "a",
    ("POST", "/console/admin/users/{id}/enable"): "a",
    ("POST", "/console/admin/users/{id}/unlock"): "a",
    ("POST", "/console/admin/users/{id}/sessions"): "a",
    ("GET", "/console/admin/roster"): "sa",
    ("POST", "/console/admin/roster"): "sa",
    ("GET", "/console/admin/roster/{day}"): "sa",
    ("POST", "/console/admin/roster/{day}"): "sa",
    ("POST", "/console/admin/roster/{day}/kind"): "sa",
    ("GET", "/console/admin/settings"): "a",
    ("POST", "/console/admin/settings"): "a",
    ("POST", "/console/admin/settings/reset"): "a",
    ("GET", "/console/admin/announcements"): "sa",
    ("POST", "/console/admin/announcements"): "sa",
    ("POST", "/console/admin/announcements/{id}/withdraw"): "sa",
    ("GET", "/console/admin/audit"): "sa",
    ("GET", "/console/admin/system"): "sa",
    ("POST", "/console/admin/system/retry"): "a",
    ("GET", "/console/rectifications"): "lsoa",
    ("GET", "/console/rectifications/{id}"): "lsoa",
    ("POST", "/console/rectifications/{id}"): "lsoa",
    ("GET", "/console/ratings"): "lsoa",
    ("GET", "/console/lessons"): "soa",
    ("GET", "/console/lessons/{id}"): "soa",
    ("GET", "/console/lessons/edit"): "soa",
    ("POST", "/console/lessons/edit"): "soa",
    ("POST", "/console/lessons/drop"): "soa",
    ("GET", "/console"): "soa",
    ("POST", "/console/views"): "soa",
    ("POST", "/console/views/{id}/drop"): "soa",
    ("GET", "/console/consultations/{id}"): "soa",
    ("POST", "/console/consultations/{id}/unmask"): "soa",
    ("POST", "/console/consultations/{id}/correct"): "soa",
    ("POST", "/console/consultations/{id}/remarks"): "soa",
    ("POST", "/console/remarks/{id}/drop"): "soa",
    ("GET", "/console/exports"): "soa",
    ("POST", "/console/exports"): "soa",
    ("GET", "/console/exports/{id}/file"): "soa",
    ("POST", "/console/exports/{id}/retry"): "soa",
    ("GET", "/console/access"): "sa",
}
LETTERS = dict(zip("lsoa", ROLES, strict=True))


def allowed(method: str, path: str) -> set[str]:
    return {LETTERS[letter] for letter in TABLE[method, path]}


def test_the_table_names_every_page(bot: Bot) -> None:
    assert {(door.method, door.path): set(door.roles) for door in bot.app[DOORS]} == {
        key: allowed(*key) for key in TABLE
    }


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_opens_its_own_pages_and_no_others(
    bot: Bot, engine: sa.Engine, clock: Clock, role: str
) -> None:
    token = hire(engine, f"one-{role}", clock, role=role)
    async with aiohttp.ClientSession(bot.url, cookies={COOKIE: token}) as session:
        for method, path in TABLE:
            async with session.request(
                method, _filled(path), allow_redirects=False, headers={"Origin": bot.url, "Accept": "text/html"}
            ) as answer:
                assert (answer.status == 403) is (role not in allowed(method, path)), (method, path, answer.status)
                assert answer.status < 500, (method, path)


async def test_nobody_opens_anything_without_a_login_or_from_another_site(
    bot: Bot, engine: sa.Engine, clock: Clock
) -> None:
    token = hire(engine, "boss", clock, role="admin")
    async with aiohttp.ClientSession(bot.url) as session:
        for method, path in TABLE:
            async with session.request(
                method, _filled(path), allow_redirects=False, headers={"Accept": "text/html", "Origin": bot.url}
            ) as answer:
                assert answer.status == 303, path
                assert answer.headers["Location"].startswith("/login"), path
    async with aiohttp.ClientSession(bot.url, cookies={COOKIE: token}) as session:
        for method, path in TABLE:
            if method == "POST" and "admin" in allowed(method, path):
                async with session.post(_filled(path), headers={"Origin": "https://evil.example"}) as answer:
                    assert answer.status == 403, path


def _filled(path: str) -> str:
    return path.replace("{", "").replace("}", "")
