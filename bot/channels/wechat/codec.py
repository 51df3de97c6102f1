"""The platform's envelope: signatures, encryption, XML. Every fault is one exception with the status to answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NoReturn
from xml.parsers.expat import ExpatError, ParserCreate

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.conversation.turn import Inbound, MessageKind
from bot.ids import noise
from bot.settings import Wechat

CHANNEL = "wechat"
# Nonces remembered within the skew; at a county's pace this is hours of traffic.
NONCES = 20_000
_BLOCK = 32
_LEAF = 2  # the depth of a field, the root being 1
_OPENID = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
_KINDS: dict[str, MessageKind] = {
    "text": "text",
    "image": "image",
    "voice": "voice",
    "video": "video",
    "shortvideo": "video",
    "location": "location",
    "link": "link",
    "file": "file",
    "event": "event",
}


class Refused(Exception):  # noqa: N818 - it is an answer, not an error of ours
    """A request that is not handled. `why` is a metric label and a log word; nothing of the request is in it."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Opened(msgspec.Struct, frozen=True):
    """A verified message: its fields, and whether the reply must be encrypted."""

    fields: Mapping[str, str]
    encrypted: bool


class Codec:
    """Opens what the platform sends and seals what we answer, in the mode chosen in its back office."""

    def __init__(self, settings: Wechat) -> None:
        self._settings = settings
        self._token = settings.token.get_secret_value()
        key = settings.encoding_aes_key.get_secret_value()
        self._crypto = Crypto(key, settings.app_id) if key else None
        self._nonces: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def verify_url(self, query: Mapping[str, str], now: datetime) -> str:
        """The `echostr` to answer when the address is entered in the back office; Refused if it is forged."""
        self._check_time(query, now)
        self._check(query.get("signature"), query.get("timestamp", ""), query.get("nonce", ""))
        return query.get("echostr", "")

    def open(self, query: Mapping[str, str], body: bytes, now: datetime) -> Opened:
        """Verify before anything is parsed, then decrypt and parse; Refused with 403 or 400."""
        self._check_time(query, now)
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        encrypted = query.get("encrypt_type") == "aes"
        if not encrypted:
            if self._settings.mode == "safe":
                raise Refused(403, "not_encrypted")
            self._check(query.get("signature"), timestamp, nonce)
            self._check_nonce(timestamp, nonce, body)
            return Opened(_parse(body), encrypted=False)
        if self._crypto is None:
            raise Refused(403, "no_key")
        for sealed in _envelopes(body):
            if self._matches(query.get("msg_signature"), timestamp, nonce, sealed):
                return Opened(_parse(self._crypto.decrypt(sealed)), encrypted=True)
        raise Refused(403, "forged")

    def seal(self, opened: Opened, text: str, now: datetime) -> bytes:
        """A passive text reply to the sender of a message, encrypted if the message was."""
        plain = text_reply(opened.fields["FromUserName"], opened.fields.get("ToUserName", ""), text, now)
        if not opened.encrypted or self._crypto is None:
            return plain.encode()
        sealed = self._crypto.encrypt(plain)
        timestamp, nonce = str(int(now.timestamp())), noise().hex()[:16]
        signature = _sign(self._token, timestamp, nonce, sealed)
        return (
            f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
        ).encode()

    def _check(self, signature: str | None, *parts: str) -> None:
        if not self._matches(signature, *parts):
            raise Refused(403, "forged")

    def _matches(self, signature: str | None, *parts: str) -> bool:
        return hmac.compare_digest((signature or "").encode(), _sign(self._token, *parts).encode())

    def _check_time(self, query: Mapping[str, str], now: datetime) -> None:
        try:
            age = abs(now.timestamp() - int(query.get("timestamp", "")))
        except ValueError as error:
            raise Refused(403, "no_timestamp") from error
        if age > self._settings.max_skew:
            raise Refused(403, "stale")

    def _check_nonce(self, timestamp: str, nonce: str, body: bytes) -> None:
        """Plain mode signs no body: a signature seen with one body must not carry another."""
        digest = hashlib.sha256(body).digest()
        if self._nonces.setdefault((timestamp, nonce), digest) != digest:
            raise Refused(403, "replayed")
        while len(self._nonces) > NONCES:
            self._nonces.popitem(last=False)


class Crypto:
    """The platform's AES-256-CBC: 16 random bytes, length, message, AppID, padded to blocks of 32."""

    def __init__(self, encoding_aes_key: str, app_id: str) -> None:
        key = base64.b64decode(encoding_aes_key + "=")
        # Platform rule: the initial vector is the key's first half.
        self._cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16]))
        self._app_id = app_id.encode()

    def encrypt(self, text: str) -> str:
        """Seal a text, base64."""
        message = text.encode()
        plain = noise() + struct.pack(">I", len(message)) + message + self._app_id
        padding = _BLOCK - len(plain) % _BLOCK
        encryptor = self._cipher.encryptor()
        sealed = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
        return base64.b64encode(sealed).decode()

    def decrypt(self, sealed: str) -> bytes:
        """Open a base64 envelope; Refused if it is damaged or meant for another account."""
        try:
            decryptor = self._cipher.decryptor()
            plain = decryptor.update(base64.b64decode(sealed, validate=True)) + decryptor.finalize()
            content = plain[16 : -plain[-1]]
            (length,) = struct.unpack_from(">I", content)
        except (ValueError, IndexError, struct.error) as error:
            raise Refused(400, "undecipherable") from error
        if content[4 + length :] != self._app_id:
            raise Refused(403, "other_app")
        return content[4 : 4 + length]


def _sign(*parts: str) -> str:
    # Platform rule: SHA-1 over the sorted parts.
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def _envelopes(body: bytes) -> Iterator[str]:
    """What stands between <Encrypt> tags, found without parsing: nothing is trusted before its signature.

    In compatible mode the readable part stands beside it, and a citizen may well have typed such a tag.
    """
    start = 0
    while (start := body.find(b"<Encrypt>", start)) >= 0:
        start += len(b"<Encrypt>")
        end = body.find(b"</Encrypt>", start)
        if end < 0:
            return
        inner = body[start:end].strip().removeprefix(b"<![CDATA[").removesuffix(b"]]>").strip()
        if inner.isascii():
            yield inner.decode()


def _parse(body: bytes) -> dict[str, str]:
    """Flat XML to a dictionary. The parser refuses document types, so no entity can be declared and no bomb go off."""
    leaves = _Leaves()
    parser = ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _forbid
    parser.StartElementHandler = leaves.start
    parser.EndElementHandler = leaves.end
    parser.CharacterDataHandler = leaves.words.append
    try:
        parser.Parse(body, True)
    except (ExpatError, ValueError) as error:
        raise Refused(400, "malformed") from error
    fields = leaves.fields
    if leaves.root != "xml" or not _OPENID.match(fields.get("FromUserName", "")) or not fields.get("MsgType"):
        raise Refused(400, "malformed")
    return fields


class _Leaves:
    """What the parser calls: keeps the texts right below the root; what is nested or said twice is left out."""

    def __init__(self) -> None:
        self.root = ""
        self.fields: dict[str, str] = {}
        self.words: list[str] = []
        self._seen: set[str] = set()
        self._depth = 0
        self._nested = False

    def start(self, name: str, _attributes: object) -> None:
        """An element begins."""
        self.root = self.root or name
        self._depth += 1
        self._nested = self._depth > _LEAF
        self.words.clear()

    def end(self, name: str) -> None:
        """An element ends."""
        if self._depth == _LEAF:
            if name in self._seen or self._nested:
                self.fields.pop(name, None)
            else:
                self.fields[name] = "".join(self.words).strip()
            self._seen.add(name)
            self._nested = False
        self._depth -= 1


def _forbid(*_: object) -> NoReturn:
    raise ValueError


def to_inbound(fields: Mapping[str, str], now: datetime) -> Inbound:
    """The platform's fields as ours."""
    kind = _KINDS.get(fields["MsgType"].lower(), "other")
    text = fields.get("Content", "")
    if kind == "voice" and fields.get("Recognition"):
        kind, text = "text", fields["Recognition"]
    event = fields.get("Event", "").lower() if kind == "event" else ""
    return Inbound(
        channel=CHANNEL,
        citizen=fields["FromUserName"],
        key=_key(fields),
        kind=kind,
        sent_at=_sent_at(fields, now),
        text=text if kind == "text" else "",
        tap=fields.get("bizmsgmenuid", ""),
        event=event,
        scene=fields.get("EventKey", "").removeprefix("qrscene_"),
        media=fields.get("MediaId", ""),
    )


def _key(fields: Mapping[str, str]) -> str:
    """Messages carry an id; events are known by who, when and what."""
    number = fields.get("MsgId", "0")
    if number not in {"", "0"}:
        return number[:160]
    parts = (fields["FromUserName"], fields.get("CreateTime", ""), fields.get("Event", ""), fields.get("EventKey", ""))
    return ":".join(parts)[:160]


def _sent_at(fields: Mapping[str, str], now: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(int(fields.get("CreateTime", "")), UTC)
    except (ValueError, OverflowError, OSError):
        return now


def text_reply(to: str, sender: str, text: str, now: datetime) -> str:
    """A passive text reply. A text holding the end mark of CDATA is split there, so that it stays text."""
    return (
        f"<xml><ToUserName><![CDATA[{to}]]></ToUserName><FromUserName><![CDATA[{sender}]]></FromUserName>"
        f"<CreateTime>{int(now.timestamp())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{_safe(text)}]]></Content></xml>"
    )


# Characters that XML 1.0 cannot hold.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff￾￿]")


@lru_cache(1024)  # most replies are answers that many citizens get
def _safe(text: str) -> str:
    return _UNPRINTABLE.sub("", text).replace("]]>", "]]]]><![CDATA[>")
