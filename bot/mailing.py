"""Sends e-mail with a file through the county's own mail server."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage

import msgspec

from bot.settings import Mail

TIMEOUT = 20.0
XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")


class MailError(Exception):
    """It was not accepted. `again`: another try may succeed; the message is for the staff, without any secret."""

    def __init__(self, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.again = again


class Letter(msgspec.Struct, frozen=True):
    """An e-mail with one file."""

    to: str
    subject: str
    text: str
    file_name: str
    file: bytes


class Mailer:
    """One connection per letter: a county sends a handful in two days."""

    def __init__(self, settings: Mail) -> None:
        self._settings = settings

    async def send(self, letter: Letter) -> None:
        """Hand a letter to the mail server; MailError if it did not take it."""
        await asyncio.to_thread(self._send, self._message(letter))

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = letter.subject
        user, _, domain = self._settings.sender.rpartition("@")
        message["From"] = Address("法问", user, domain)
        message["To"] = letter.to
        message.set_content(letter.text)
        message.add_attachment(letter.file, maintype=XLSX[0], subtype=XLSX[1], filename=letter.file_name)
        return message

    def _send(self, message: EmailMessage) -> None:
        settings = self._settings
        try:
            with self._connect() as server:
                if settings.tls == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if settings.user:
                    server.login(settings.user, settings.password.get_secret_value())
                server.send_message(message)
        except smtplib.SMTPAuthenticationError as error:
            raise MailError(f"邮件服务器不认账号或密码（{error.smtp_code}）", again=False) from None
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise MailError(f"邮件服务器不收这个收件人（{code}）", again=_for_now(code)) from None
        except smtplib.SMTPResponseException as error:
            raise MailError(f"邮件服务器没有收下（{error.smtp_code}）", again=_for_now(error.smtp_code)) from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailError(f"连不上邮件服务器（{type(error).__name__}）", again=True) from None

    def _connect(self) -> smtplib.SMTP:
        host, port = self._settings.host, self._settings.port
        if self._settings.tls == "ssl":
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
        return smtplib.SMTP(host, port, timeout=TIMEOUT)


def _for_now(code: int) -> bool:
    """SMTP says 4xx for what may pass."""
    return 400 <= code < 500  # noqa: PLR2004 - SMTP's own ranges
