"""Our signing and AES against wechatpy's, and the strictness of reading."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy import parse_message
from wechatpy.crypto import PrpCrypto, WeChatCrypto

from tests.platform import markup
from tests.platform.codec import Codec, CodecError, pad, signature, unpad
from tests.platform.values import Message, Mode, Value

APP_ID, TOKEN, KEY = "wx0123456789abcdef", "webhook-token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFI"
CRYPTO: Any = WeChatCrypto(TOKEN, KEY, APP_ID)
PRP: Any = PrpCrypto(CRYPTO.key)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
# What XML can carry, without the carriage returns that every parser turns into line feeds.
XML_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.just("\n"))


def codec(mode: Mode = "safe", app_id: str = APP_ID) -> Codec:
    return Codec(app_id, TOKEN, KEY, mode)


def message(content: str) -> Message:
    head: dict[str, Value] = {"ToUserName": "gh_1", "FromUserName": "o1", "CreateTime": 1, "MsgType": "text"}
    return Message("o1", tuple({**head, "Content": content, "MsgId": 7}.items()))


@given(ANY_TEXT)
def test_each_side_decrypts_what_the_other_encrypted(text: str) -> None:
    assert PRP.decrypt(codec().encrypt(text), APP_ID) == text
    assert codec().decrypt(PRP.encrypt(text, APP_ID).decode()) == text


@given(XML_TEXT)
def test_wechatpy_opens_our_envelope(text: str) -> None:
    envelope = codec().envelope(message(text), 1_700_000_000, "42")
    query = envelope.query
    xml = CRYPTO.decrypt_message(envelope.body, query["msg_signature"], query["timestamp"], query["nonce"])
    assert markup.leaf(markup.parse(xml), "Content") == text
    assert parse_message(xml).source == "o1"
    assert query["signature"] == signature(TOKEN, "1700000000", "42")


@given(XML_TEXT)
def test_we_open_wechatpys_reply(text: str) -> None:
    xml = markup.build(message(text).fields)
    assert codec().open_reply(CRYPTO.encrypt_message(xml, "77", "1700000000").encode()) == (xml, "77")


@pytest.mark.parametrize(
    ("mode", "tags"),
    [
        ("plain", {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content", "MsgId"}),
        ("compatible", {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content", "MsgId", "Encrypt"}),
        ("safe", {"Encrypt"}),
    ],
)
def test_what_an_envelope_shows_in_each_mode(mode: Mode, tags: set[str]) -> None:
    envelope = codec(mode).envelope(message("你好"), 1, "2")
    assert {child.tag for child in markup.parse(envelope.body.decode())} == tags
    assert ("msg_signature" in envelope.query) == ("Encrypt" in tags)
    assert envelope.query["openid"] == "o1"


@pytest.mark.parametrize(
    ("mode", "encrypted", "accepted"),
    [
        ("plain", False, True),
        ("plain", True, False),
        ("compatible", False, True),
        ("compatible", True, True),
        ("safe", False, False),
        ("safe", True, True),
    ],
)
def test_which_replies_each_mode_takes(mode: Mode, *, encrypted: bool, accepted: bool) -> None:
    xml = markup.build(message("好").fields)
    body = CRYPTO.encrypt_message(xml, "77", "1").encode() if encrypted else xml.encode()
    if accepted:
        assert codec(mode).open_reply(body)[0] == xml
        return
    with pytest.raises(CodecError, match="mode"):
        codec(mode).open_reply(body)


@pytest.mark.parametrize(
    ("old", "new"), [("<TimeStamp>1", "<TimeStamp>2"), ("[77]", "[78]"), ("<TimeStamp>1", "<TimeStamp>x")]
)
def test_a_tampered_reply_is_refused(old: str, new: str) -> None:
    body = CRYPTO.encrypt_message(markup.build(message("好").fields), "77", "1")
    assert old in body
    with pytest.raises(CodecError):
        codec().open_reply(body.replace(old, new).encode())


def test_another_accounts_text_is_refused() -> None:
    with pytest.raises(CodecError, match="AppID"):
        codec().decrypt(codec(app_id="wx-other").encrypt("好"))


@given(st.binary(max_size=200))
def test_noise_is_refused_as_such(noise: bytes) -> None:
    with pytest.raises(CodecError):
        codec().decrypt(noise.hex())


def test_a_mode_with_encryption_needs_a_key() -> None:
    with pytest.raises(ValueError, match="EncodingAESKey"):
        Codec(APP_ID, TOKEN, None, "safe")
    assert Codec(APP_ID, TOKEN, None, "plain").envelope(message("好"), 1, "2").body.startswith(b"<xml>")


@given(st.binary())
def test_padding_fills_whole_blocks_and_comes_off(data: bytes) -> None:
    padded = pad(data)
    assert len(padded) % 32 == 0
    assert 1 <= len(padded) - len(data) <= 32
    assert unpad(padded) == data


@pytest.mark.parametrize("bad", [b"", b"\x01" * 31, b"a" * 31 + b"\x00", b"a" * 31 + b"\x21", b"a" * 30 + b"\x03\x02"])
def test_bad_padding_is_refused(bad: bytes) -> None:
    with pytest.raises(CodecError):
        unpad(bad)


@given(XML_TEXT, st.integers())
def test_xml_carries_any_text(text: str, number: int) -> None:
    root = markup.parse(markup.build([("A", text), ("B", number), ("C", f"]]>{text}]]>")]))
    assert (markup.leaf(root, "A"), markup.leaf(root, "B"), markup.leaf(root, "C")) == (
        text,
        str(number),
        f"]]>{text}]]>",
    )


def test_what_xml_cannot_carry_is_dropped() -> None:
    assert markup.leaf(markup.parse(markup.build([("A", "a\x00b\x0b\ud800\uffffc")])), "A") == "abc"


@pytest.mark.parametrize("text", ["", "x", "<a/>", "<xml><A>1</A><A>2</A></xml>", "<xml/>", "<xml><A><b/></A></xml>"])
def test_odd_xml_is_refused(text: str) -> None:
    with pytest.raises(markup.MarkupError):
        markup.leaf(markup.parse(text), "A")
