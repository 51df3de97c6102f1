"""A reply as WeChat text: tappable lines become menu links, which send their words back to us when tapped."""

from __future__ import annotations

from functools import lru_cache

from knowledge.reply import TAP_GAP, TAP_MARK, Reply, Tap

# Characters that would break out of the link.
_SAFE = str.maketrans({"<": "〈", ">": "〉", "&": "＆", '"': "”", "\n": " "})


@lru_cache(1024)  # most replies are answers that many citizens get
def text(reply: Reply) -> str:
    """The message as sent; its length in bytes is `reply.size`."""
    return "\n".join([reply.text, *(TAP_GAP.join(map(_link, row)) for row in reply.rows)])


def _link(tap: Tap) -> str:
    content, label = tap.send.translate(_SAFE), tap.label.translate(_SAFE)
    return f'{TAP_MARK}<a href="weixin://bizmsgmenu?msgmenucontent={content}&msgmenuid={tap.id.translate(_SAFE)}">{label}</a>'
