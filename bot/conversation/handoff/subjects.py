"""The dozen subjects a citizen can tap and a lawyer can cover, and which category belongs to which."""

from __future__ import annotations

import msgspec


class Subject(msgspec.Struct, frozen=True):
    """A group of categories. `category` is what a handoff gets that knows no more than the subject."""

    slug: str
    label: str
    kind: str
    category: str
    categories: tuple[str, ...]


SUBJECTS = (
    Subject("labour", "工资工伤", "legal", "labour", ("labour", "wages", "injury", "social")),
    Subject("family", "婚姻家庭", "legal", "marriage", ("marriage", "violence", "elder", "child", "minors", "persons")),
    Subject("inheritance", "遗产公证", "legal", "inheritance", ("inheritance", "notary")),
    Subject("money", "借钱合同", "legal", "debt", ("debt", "contract", "enforcement", "arbitration", "business", "ip")),
    Subject(
        "land", "土地房屋", "legal", "land", ("land", "housing", "lease", "expropriation", "household", "environment")
    ),
    Subject("injury", "车祸伤害", "legal", "traffic", ("traffic", "tort", "medical", "insurance", "animals")),
    Subject("consumer", "买东西被骗", "legal", "consumer", ("consumer", "fraud")),
    Subject("crime", "打架报案", "legal", "police", ("police", "crime", "corrections", "safety")),
    Subject(
        "lawsuit",
        "打官司",
        "legal",
        "litigation",
        ("litigation", "legalaid", "mediation", "reconsideration", "openness"),
    ),
    Subject("petition", "信访", "petition", "petition.basics", ("petition",)),
    Subject("approval", "办证审批", "approval", "approval.service", ("approval",)),
)
OTHER = Subject("other", "其他的事", "", "other", ("other",))
_BY_SLUG = {subject.slug: subject for subject in (*SUBJECTS, OTHER)}
_BY_CATEGORY = {category: subject for subject in (*SUBJECTS, OTHER) for category in subject.categories}


def subject(slug: str) -> Subject | None:
    """The subject of this name."""
    return _BY_SLUG.get(slug)


def of_category(category: str) -> Subject:
    """The subject a category belongs to; 其他的事 for one nobody assigned."""
    return _BY_CATEGORY.get(category) or _BY_CATEGORY.get(category.partition(".")[0]) or OTHER


def of_label(text: str) -> Subject | None:
    """The subject whose label the citizen typed instead of tapping it."""
    return next((one for one in (*SUBJECTS, OTHER) if one.label == text), None)
