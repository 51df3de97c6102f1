"""The JSON bodies the platform's API takes; an unknown or missing field is refused."""

from __future__ import annotations

from typing import Literal

import msgspec


class Body(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Base of every body: strict about names."""


class TokenRequest(Body):
    """`stable_token`."""

    grant_type: Literal["client_credential"]
    appid: str
    secret: str
    force_refresh: bool = False


class TextContent(Body):
    """Content of a text message."""

    content: str


class ImageContent(Body):
    """Content of an image message."""

    media_id: str


class Article(Body):
    """One news card."""

    title: str
    description: str = ""
    url: str = ""
    picurl: str = ""


class NewsContent(Body):
    """Content of a news message."""

    articles: list[Article]


class MenuItem(Body):
    """One tappable line of a `msgmenu`."""

    id: str
    content: str


class MenuContent(Body):
    """Content of a `msgmenu`."""

    head_content: str
    items: list[MenuItem] = msgspec.field(name="list")
    tail_content: str


class SendText(Body, tag_field="msgtype", tag="text"):
    """`custom/send` of a text."""

    touser: str
    text: TextContent


class SendImage(Body, tag_field="msgtype", tag="image"):
    """`custom/send` of an image."""

    touser: str
    image: ImageContent


class SendNews(Body, tag_field="msgtype", tag="news"):
    """`custom/send` of a news card."""

    touser: str
    news: NewsContent


class SendMenu(Body, tag_field="msgtype", tag="msgmenu"):
    """`custom/send` of a menu message."""

    touser: str
    msgmenu: MenuContent


Send = SendText | SendImage | SendNews | SendMenu


class Typing(Body):
    """`custom/typing`."""

    touser: str
    command: Literal["Typing", "CancelTyping"]


class Button(Body):
    """One button of the account's menu."""

    name: str
    type: Literal["click", "view"] | None = None
    key: str | None = None
    url: str | None = None
    sub_button: list[Button] | None = None


class Menu(Body):
    """`menu/create`."""

    button: list[Button]


class Scene(Body):
    """The scene a QR code carries."""

    scene_str: str


class ActionInfo(Body):
    """Wrapper of the scene."""

    scene: Scene


class PermanentCode(Body, tag_field="action_name", tag="QR_LIMIT_STR_SCENE"):
    """`qrcode/create` for ever."""

    action_info: ActionInfo


class TemporaryCode(Body, tag_field="action_name", tag="QR_STR_SCENE"):
    """`qrcode/create` for a time."""

    action_info: ActionInfo
    expire_seconds: int = 60


SceneRequest = PermanentCode | TemporaryCode


class TemplateValue(Body):
    """One value of a template notice."""

    value: str
    color: str | None = None


class Template(Body):
    """`template/send`."""

    touser: str
    template_id: str
    data: dict[str, TemplateValue]
    url: str = ""
    client_msg_id: str = ""
