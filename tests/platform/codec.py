"""Signing and AES as the platform does them, written apart from the product's own codec on purpose."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.platform import markup
from tests.platform.values import Envelope, Message, Mode

BLOCK = 32
FILLER = 16
KEY_LENGTH = 43


class CodecError(ValueError):
    """An encrypted text the platform would refuse."""


def signature(*parts: str) -> str:
    """Hex SHA-1 over the sorted parts."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def pad(data: bytes) -> bytes:
    """Fill up to whole blocks, always by at least one byte."""
    size = BLOCK - len(data) % BLOCK
    return data + bytes([size]) * size


def unpad(data: bytes) -> bytes:
    """Take the filling off again."""
    size = data[-1] if data else 0
    if len(data) % BLOCK or not 1 <= size <= BLOCK or data[-size:] != bytes([size]) * size:
        message = "bad padding"
        raise CodecError(message)
    return data[:-size]


@dataclass(frozen=True, slots=True)
class Codec:
    """Signs and encrypts for one account in one of the three modes."""

    app_id: str
    token: str
    encoding_aes_key: str | None
    mode: Mode

    def __post_init__(self) -> None:
        """Refuse a mode that lacks its key."""
        if self.mode != "plain" and len(self.encoding_aes_key or "") != KEY_LENGTH:
            message = f"mode {self.mode} needs an EncodingAESKey of {KEY_LENGTH} characters"
            raise ValueError(message)

    def encrypt(self, text: str) -> str:
        """Encrypt one document."""
        data = text.encode()
        plain = os.urandom(FILLER) + struct.pack(">I", len(data)) + data + self.app_id.encode()
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(pad(plain)) + encryptor.finalize()).decode()

    def decrypt(self, text: str) -> str:
        """Decrypt one document, checking padding, length and AppID."""
        try:
            decryptor = self._cipher().decryptor()
            plain = unpad(decryptor.update(base64.b64decode(text, validate=True)) + decryptor.finalize())
            (length,) = struct.unpack(">I", plain[FILLER : FILLER + 4])
            rest = plain[FILLER + 4 :]
            data, owner = rest[:length], rest[length:]
            if len(data) < length or owner != self.app_id.encode():
                message = "length or AppID does not match"
                raise CodecError(message)
            return data.decode()
        except (binascii.Error, struct.error, UnicodeDecodeError, ValueError) as error:
            if isinstance(error, CodecError):
                raise
            message = f"cannot decrypt: {error}"
            raise CodecError(message) from error

    def sign_query(self, timestamp: int, nonce: str) -> dict[str, str]:
        """Query of a GET, and the part of a POST's query that does not depend on the body."""
        signed = signature(self.token, str(timestamp), nonce)
        return {"signature": signed, "timestamp": str(timestamp), "nonce": nonce}

    def envelope(self, message: Message, timestamp: int, nonce: str) -> Envelope:
        """Wrap a message for the wire."""
        query = {**self.sign_query(timestamp, nonce), "openid": message.openid}
        xml = markup.build(message.fields)
        if self.mode == "plain":
            return Envelope(query, xml.encode())
        encrypted = self.encrypt(xml)
        query["encrypt_type"] = "aes"
        query["msg_signature"] = signature(self.token, str(timestamp), nonce, encrypted)
        clear = message.fields if self.mode == "compatible" else ()
        return Envelope(query, markup.build([*clear, ("Encrypt", encrypted)]).encode())

    def open_reply(self, body: bytes) -> tuple[str, str | None]:
        """Verify and decrypt a passive reply: its XML and, if it was encrypted, its nonce."""
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            message = "reply is not UTF-8"
            raise CodecError(message) from error
        root = markup.parse(text)
        encrypted = root.find("Encrypt") is not None
        if encrypted == (self.mode == "plain") and self.mode != "compatible":
            message = f"{'encrypted' if encrypted else 'plain'} reply in {self.mode} mode"
            raise CodecError(message)
        if not encrypted:
            return text, None
        return self._open_encrypted(text)

    def _open_encrypted(self, text: str) -> tuple[str, str]:
        root = markup.parse(text)
        parts = {name: markup.leaf(root, name) for name in ("Encrypt", "MsgSignature", "TimeStamp", "Nonce")}
        if not parts["TimeStamp"].isdigit():
            message = "TimeStamp is not a number"
            raise CodecError(message)
        if signature(self.token, parts["TimeStamp"], parts["Nonce"], parts["Encrypt"]) != parts["MsgSignature"]:
            message = "MsgSignature does not match"
            raise CodecError(message)
        return self.decrypt(parts["Encrypt"]), parts["Nonce"]

    def _cipher(self) -> Cipher[modes.CBC]:
        key = base64.b64decode((self.encoding_aes_key or "") + "=")
        return Cipher(algorithms.AES256(key), modes.CBC(key[:16]))
