"""What is said around entries, in one place, in plain words."""

from __future__ import annotations

# Entries shown as examples, three of each kind; a test keeps them among the shipped ones.
EXAMPLES: dict[str, tuple[str, str, str]] = {
    "legal": ("labour.unpaid-wages", "marriage.divorce-overview", "debt.netloan-overdue"),
    "petition": ("petition.basics.channels", "petition.procedure.time-limit", "petition.review.reexamine"),
    "approval": ("approval.registration.individual-setup", "approval.people.id-lost", "approval.people.dibao-apply"),
}
HUMAN = "转人工律师"
DISCLAIMER = "一般性解答，不代替律师意见"
MORE_HINT = "（回复“更多”看后面的内容）"
CHOOSE = "您想问的是下面哪一个？点一下，或回复数字："
UNSURE = (
    "这个问题我没有把握，不敢乱答。您可以换个说法，说清是什么事、跟谁、想怎么解决，比如“租房到期房东不退押金”。\n"
    "也可以打12348问法律，打12345问办事，或转人工律师。"
)
NOT_OURS = "我只懂法律、信访和办证审批的事，这个帮不上您。您可以问我这样的问题："
