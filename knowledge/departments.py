"""Which office of the county answers for an approval item: whoever decides it, by the entry's own words."""

from __future__ import annotations

from knowledge.entry import Entry

# How an office is called where somebody decides; the longer and rarer name first.
_CALLED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("marriage_registry", ("婚姻登记",)),
    ("real_estate_registry", ("不动产登记",)),
    ("housing_fund", ("公积金",)),
    ("traffic_police", ("交警", "交通管理部门", "车辆管理所", "车管所")),
    ("medical_insurance", ("医疗保障", "医保")),
    ("social_insurance", ("社会保险", "社保")),
    ("hr_bureau", ("人力资源", "人社")),
    ("market_regulation", ("市场监督", "市场监管", "药品监督", "药品监管", "知识产权")),
    ("police", ("公安", "派出所", "出入境")),
    ("civil_affairs", ("民政",)),
    ("natural_resources", ("自然资源", "规划部门")),
    ("housing_bureau", ("住房和城乡建设", "住建", "城市管理")),
    ("agriculture", ("农业农村", "农机", "动物卫生", "渔业")),
    ("forestry", ("林业", "林草")),
    ("water", ("水行政", "水利")),
    ("ecology", ("生态环境",)),
    ("transport", ("交通运输",)),
    ("emergency", ("应急管理", "消防")),
    ("education", ("教育",)),
    ("health", ("卫生健康", "卫健", "疾控")),
    ("culture_tourism", ("文化", "出版", "文旅", "电影")),
    ("veterans", ("退役军人",)),
    ("disabled_federation", ("残疾人联合会", "残联")),
    ("tax", ("税务",)),
    ("justice_bureau", ("司法行政", "司法局")),
    ("township", ("乡镇", "街道办")),
)
# Where people hand in, whoever decides.
_COUNTERS = {"gov_hall"}
HALL = "gov_hall"


def departments(entry: Entry) -> tuple[str, ...]:
    """Keys of the places that answer for an approval item; the hall where nobody is named. Empty for other entries."""
    if entry.approval is None:
        return ()
    named = tuple(place for place, names in _CALLED if any(name in entry.approval.decided_by for name in names))
    if named:
        return named
    shown = tuple(where.place for where in entry.where if where.place and where.place not in _COUNTERS)
    return tuple(dict.fromkeys(shown)) or (HALL,)
