"""What the bot says outside the knowledge base, in one place, in plain words."""

from __future__ import annotations

# Entries shown as examples, three of each kind; a test keeps them among the shipped ones.
EXAMPLES: dict[str, tuple[str, str, str]] = {
    "legal": ("wages.who-pays", "marriage.divorce-ways", "debt.no-note"),
    "petition": ("petition.basics.what", "petition.procedure.time-limit", "petition.review.review"),
    "approval": ("approval.registration.individual", "approval.people.id-replace", "approval.people.dibao"),
}
KIND_HEADS = {"legal": "法律问题", "petition": "信访问题", "approval": "办证审批"}

WELCOME = (
    "您好，我是{name}，帮您解答法律、信访、办证审批方面的问题，免费，不用注册。\n"
    "用您自己的话把事情说一遍就行，也可以点下面的例子试试。"
)
GREETING = "您好，我是{name}。法律、信访、办证审批的事都可以问我，用大白话说就行。"
THANKS = "不用客气。还有别的事，随时发给我。"
GOODBYE = "好的，有事随时来问。"
HELP = (
    "您可以这样用我：\n"
    "1. 直接说事，比如“干了半年活老板不给钱”。\n"
    "2. 我列出几个问题时，点一下或回复数字。\n"
    "3. 话没说完时，回复“更多”接着看。\n"
    "4. 想找人说，回复“转人工”。\n"
    "有危险先打110，急救打120；法律咨询热线12348，政务热线12345。"
)
EMPTY = "没看到文字。请把您遇到的事用文字说一下，比如“公司不给工资怎么办”。"
UNSUPPORTED = {
    "image": "图片我还看不懂。请把要问的事用文字说一下，比如“借条上没写还款日期怎么办”。",
    "voice": "语音我还听不懂。请用输入法上的话筒把话变成文字再发给我，或直接打字。",
    "video": "视频我还看不懂。请把发生的事和想问的话用文字说一下。",
    "location": "位置收到了，但我还不会按位置回答。请用文字告诉我您要办什么事、想问什么。",
    "link": "链接我打不开。请把里面的要点，或您想问的事，用文字发给我。",
    "file": "文件我还看不懂。请把要问的事用文字说一下；合同、判决书可以把关键的那句话打出来。",
    "other": "这种消息我还看不懂。请用文字把您的事说一下。",
}
NO_MORE = "后面没有了。还想问什么，直接发给我。"
SLOW_DOWN = "您发得有点快，刚才的话都记下了。请稍等几秒，把最要紧的那句再发一次，我马上答。"
GOOD = "谢谢您告诉我。还有别的事，随时问。"
BAD = "对不起，没帮上忙，已经记下来让工作人员改进。您可以换个说法再问一次，或找律师问问。"
CHOOSE = "您想问的是下面哪一个？点一下，或回复数字："
UNSURE = (
    "这个问题我没有把握，不敢乱答。您可以换个说法，说清是什么事、跟谁、想怎么解决，比如“租房到期房东不退押金”。\n"
    "也可以打12348问法律，打12345问办事，或转人工律师。"
)
UNSURE_AGAIN = (
    "还是没能答上，耽误您了。建议直接问人：法律问题打12348（免费），办事、投诉打12345，"
    "或到{place.legal_aid}}当面问。您说的话已经记下来，工作人员会补上这一条。"
)
NOT_OURS = "我只懂法律、信访和办证审批的事，这个帮不上您。您可以问我这样的问题："
HUMAN = (
    "好的，已经记下您想找律师。现在请这样联系：\n"
    "1. 打12348，法律咨询热线，免费。\n"
    "2. 到{place.legal_aid}当面问。\n"
    "有危险马上打110。您也可以在这里接着说，我能答的先答。"
)
GONE = "这一条刚刚更新或停用了，请把问题再发一遍，我重新找。"
BUSY = "系统这会儿有点忙，您的话没能记下来。请过一会儿再发一次；急事请打12348（法律）或12345（办事）。"
ASPECT_UNKNOWN = "关于“{question}”，这一点资料里没有写明，各地也可能不同。请打{hotline}问准，或转人工律师。"
