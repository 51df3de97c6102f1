"""What is said around entries, in one place, in plain words."""

from __future__ import annotations

# Entries shown as examples, three of each kind; a test keeps them among the shipped ones.
# Short labels: nine of them share one message of 2048 bytes with the welcome.
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "legal": (
        ("不给工资怎么办", "labour.unpaid-wages"),
        ("想离婚怎么走", "marriage.divorce-overview"),
        ("租房押金不退", "lease.deposit"),
    ),
    "petition": (
        ("怎么信访", "petition.basics.channels"),
        ("信访多久有结果", "petition.procedure.time-limit"),
        ("对信访答复不服", "petition.review.reexamine"),
    ),
    "approval": (
        ("怎么办营业执照", "approval.registration.individual-setup"),
        ("身份证丢了怎么补", "approval.people.id-lost"),
        ("怎么申请低保", "approval.people.dibao-apply"),
    ),
}
HUMAN = "转人工律师"
DISCLAIMER = "一般性解答，不代替律师意见"
MORE_HINT = "（回复“更多”看后面的内容）"
CHOOSE = "您想问的是下面哪一个？点一下，或回复数字；都不是，就换个说法再说一遍："
CHOOSE_FIRST = "您问了不止一件事，先看哪一件？点一下，或回复数字；都不是，就换个说法再说一遍："
ALSO = "您还问到（点一下，或回复数字）："
UNSURE = (
    "这个问题我没有把握，不敢乱答。您可以换个说法，说清是什么事、跟谁、想怎么解决，比如“租房到期房东不退押金”。\n"
    "也可以打12348问法律，打12345问办事，或转人工律师。"
)
ARTICLE_OFFER = "有一条法律条文说的可能是这件事，点开看原文。"
ARTICLE_MARK = "这是法律条文，不是办事意见。您的事适不适用、该怎么办，打12348问，或转人工律师。"
NOT_OURS = "我只懂法律、信访和办证审批的事，这个帮不上您。您可以问我这样的问题："
