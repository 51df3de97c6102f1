"""Full texts of laws: the article that plainly fits is found, what is not in force is not, nothing is made up."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest

from knowledge import articles
from knowledge.articles import Articles, index, read_articles
from knowledge.load import ContentError, KnowledgeBase
from knowledge.reply import TEXT_LIMIT, article, article_row

DAY = date(2026, 11, 22)
REFERENCE = Path(__file__).parents[3] / "shared" / "reference"
HEAD = "version: 2020-01-01  effective: {effective}  status: {status}  articles: 3  source: made up"
TEXTS = {
    "养蜂管理条例": (
        "2021-01-01",
        "in force",
        [
            "为了管理养蜂，制定本条例。",
            "蜂箱距离村庄不足二百米的，应当设置警示标志。",
            "蜜蜂蜇伤他人的，由放蜂人承担。",
        ],
    ),
    "磨坊管理条例": (
        "2027-01-01",
        "in force",
        ["为了管理磨坊，制定本条例。", "水磨不得截断灌溉渠道。", "磨坊夜间不得开机。"],
    ),
    "染坊管理条例": ("2001-01-01", "repealed", ["染坊废水不得排入水渠。"]),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A few laws as files."""
    root = tmp_path / "laws"
    root.mkdir()
    for name, (effective, status, rows) in TEXTS.items():
        lines = [f"某县{name}", HEAD.format(effective=effective, status=status)]
        lines += [f"第{number}条\t{text}" for number, text in zip("一二三", rows, strict=False)]
        (root / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def test_the_article_that_plainly_fits_is_found(folder: Path, tmp_path: Path) -> None:
    found = read_articles(folder, tmp_path / "cache").plain("蜂箱离村庄多远要设警示标志", DAY)
    assert found is not None
    assert found.cite == "养蜂管理条例第二条"
    assert found.law.title == "某县养蜂管理条例"


@pytest.mark.parametrize(
    ("message", "day"),
    [
        ("水磨能不能截断灌溉渠道", DAY),  # not in force yet
        ("染坊废水排入水渠怎么办", DAY),  # repealed
        ("今天天气真好", DAY),
        ("", DAY),
        ("管理条例", DAY),  # every article says so
    ],
)
def test_nothing_is_offered_that_is_no_law_or_does_not_fit(
    folder: Path, tmp_path: Path, message: str, day: date
) -> None:
    assert read_articles(folder, tmp_path / "cache").plain(message, day) is None


def test_a_law_counts_from_its_first_day(folder: Path, tmp_path: Path) -> None:
    known = read_articles(folder, tmp_path / "cache")
    found = known.plain("水磨能不能截断灌溉渠道", date(2027, 1, 1))
    assert found is not None
    assert found.cite == "磨坊管理条例第二条"
    assert known.get("磨坊管理条例第二条") == found
    assert known.get("磨坊管理条例第九条") is None


def test_what_is_kept_equals_what_is_fresh(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = read_articles(folder, tmp_path / "cache")
    monkeypatch.setattr(articles, "index", lambda _: pytest.fail("indexed afresh"))
    kept = read_articles(folder, tmp_path / "cache")
    for message in ("蜂箱离村庄多远要设警示标志", "蜜蜂蜇伤人谁负责"):
        assert kept.first(message) == fresh.first(message)


def test_a_changed_text_is_indexed_anew(folder: Path, tmp_path: Path) -> None:
    read_articles(folder, tmp_path / "cache")
    file = folder / "养蜂管理条例.txt"
    file.write_text(file.read_text(encoding="utf-8").replace("二百米", "三百米"), encoding="utf-8")
    found = read_articles(folder, tmp_path / "cache").get("养蜂管理条例第二条")
    assert found is not None
    assert "三百米" in found.text


@pytest.mark.parametrize("text", ["", "某法", "某法\nversion: 2020-01-01  status: in force", "某法\neffective: soon"])
def test_a_bad_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "坏.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match=r"坏\.txt"):
        read_articles(tmp_path, tmp_path / "cache")


def test_a_folder_without_laws_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="no texts of laws"):
        read_articles(tmp_path / "nowhere", tmp_path / "cache")


def test_law_text_is_marked_and_fits_a_message(base: KnowledgeBase) -> None:
    law = articles.Law("某法", "中华人民共和国某法", date(2020, 1, 1))
    known = Articles(index([(law, [("第一条", "很长的条文。" * 400), ("第二条", "短。")])]))
    for cite in ("某法第一条", "某法第二条"):
        found = known.get(cite)
        assert found is not None
        said = article(found)
        assert said.size <= TEXT_LIMIT
        assert "这是法律条文，不是办事意见" in said.text
        assert "《中华人民共和国某法》" in said.text
        assert [tap.id for tap in said.taps] == ["human:law"]
    short = known.get("某法第二条")
    assert short is not None
    [tap] = article_row(short, base)
    assert tap.id == "statute:某法第二条"
    assert "某法第2条" in tap.label


def test_four_in_five_offered_articles_are_right(tmp_path: Path) -> None:
    """What LEAD was chosen by: real questions with the articles that lawyers named for them."""
    if not (REFERENCE / "statutes").exists():
        pytest.skip("the texts of laws are not at hand")
    known = read_articles(REFERENCE / "statutes", tmp_path)
    lines = (REFERENCE / "questions" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [row for row in map(msgspec.json.decode, lines) if row["articles"]]
    offered = [(found.cite, row["articles"]) for row in asked if (found := known.plain(row["question"], DAY))]
    right = sum(cite in named for cite, named in offered)
    assert len(offered) >= 0.10 * len(asked)
    assert right >= 0.80 * len(offered)
