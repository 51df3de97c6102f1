"""What the signals of search are called, for staff."""

from __future__ import annotations

SIGNAL_NAMES = {
    "bm25": "和最近的问法用词重合",
    "bm25_second": "和第二近的问法用词重合",
    "ratio": "和最近的问法逐字相似",
    "cosine": "和某个问法用词构成相近",
    "contained": "某个问法的词基本都出现了",
    "covered": "问题里的词某个问法都有",
    "told": "回答里提到这些词",
    "told_covered": "问题里的词回答里都有",
    "mean": "和各个问法普遍重合",
    "gathered": "和全部问法合起来重合",
    "gathered_covered": "问题里的词全部问法里都有",
    "exact": "和某个问法一字不差",
    "concepts": "说的是同样的法律概念",
}
