"""A real IMAP server on loopback, its mails in a folder of its own; as root and as any other user."""

from __future__ import annotations

import getpass
import grp
import imaplib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
import trustme

from tests.conftest import part

KEY = "pass-W0rd-of-ada"


def free_port() -> int:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Dovecot:
    """Dovecot 2.3 with one account: user `ada`, the key above."""

    def __init__(self) -> None:
        self.program = part("dovecot", "dovecot-imapd")
        said = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True).stdout
        if not said.startswith("2.3."):
            pytest.skip(f"these tests write the configuration of Dovecot 2.3, and this is {said.split()[0]}")
        self.folder = Path(tempfile.mkdtemp(prefix="dovecot-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.port, self.tls_port = free_port(), free_port()
        self.ca_file = self.folder / "ca.pem"
        self._write()
        with (self.folder / "said.txt").open("wb") as out:  # a pipe would stay open as long as the server lives
            subprocess.run([self.program, "-c", self.folder / "dovecot.conf"], check=True, stdout=out, stderr=out)
        self._wait()

    def _write(self) -> None:
        root = os.geteuid() == 0
        uid, gid = (65534, 65534) if root else (os.getuid(), os.getgid())
        mail = self.folder / "mail"
        mail.mkdir()
        os.chown(mail, uid, gid)
        ca = trustme.CA()
        ca.cert_pem.write_to_path(str(self.ca_file))
        ca.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(self.folder / "server.pem"))
        (self.folder / "users").write_text(f"ada:{{PLAIN}}{KEY}:{uid}:{gid}::{self.folder}/home\n")
        user, group = getpass.getuser(), grp.getgrgid(gid).gr_name
        alone = f"default_login_user = {user}\ndefault_internal_user = {user}\ndefault_internal_group = {group}\n"
        bare = "service {} {{\n  chroot =\n}}\n"
        (self.folder / "dovecot.conf").write_text(
            f"""
base_dir = {self.folder}/run
state_dir = {self.folder}/run
log_path = {self.folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{self.folder}/server.pem
ssl_key = <{self.folder}/server.pem
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
mail_location = maildir:{self.folder}/mail/%u
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {self.folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={self.folder}/home/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Outbox {{
    special_use = \\Sent
  }}
  mailbox Wastebasket {{
    special_use = \\Trash
  }}
}}
service anvil {{
  {"" if root else "chroot ="}
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  {"" if root else "chroot ="}
  inet_listener imap {{
    port = {self.port}
  }}
  inet_listener imaps {{
    port = {self.tls_port}
    ssl = yes
  }}
}}
{"" if root else alone + bare.format("stats")}
"""
        )

    def _wait(self) -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with suppress(OSError), closing(socket.create_connection(("127.0.0.1", self.port), 1)) as sock:
                if sock.recv(4).startswith(b"* OK"):
                    return
            time.sleep(0.05)
        raise AssertionError((self.folder / "dovecot.log").read_text())

    def close(self) -> None:
        with suppress(OSError, ValueError):
            os.kill(int((self.folder / "run" / "master.pid").read_text()), signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- the owner's own mail program ------------------------------------------------------------------------------

    def connect(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.port, 20)
        client.login("ada", KEY)
        return client

    def empty(self) -> None:
        """Remove all mails and folders."""
        shutil.rmtree(self.folder / "mail" / "ada", ignore_errors=True)

    def put(self, *mails: str, folder: str = "INBOX", at: str | None = None) -> None:
        """Deliver mails; `folder` is a name in modified UTF-7."""
        with self.connect() as client:
            client.create(f'"{folder}"') if folder != "INBOX" else None
            for text in mails:
                typ, said = client.append(f'"{folder}"', "", at or "", text.replace("\n", "\r\n").encode())
                assert typ == "OK", said

    def flags(self, folder: str = "INBOX") -> list[bytes]:
        with self.connect() as client:
            client.select(f'"{folder}"', readonly=True)
            return [re.sub(rb"\\Recent", b"", one) for one in client.fetch("1:*", "(UID FLAGS)")[1]]  # type: ignore[arg-type, misc]


class Cut:
    """A server before another one that hangs up after so many bytes of answers, or sends them very slowly."""

    def __init__(self, port: int, most: int, pause: float = 0.0) -> None:
        self.to, self.most, self.pause = port, most, pause
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.sock.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Cut:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.sock.accept()
                server = socket.create_connection(("127.0.0.1", self.to), 10)
                threading.Thread(target=self._copy, args=(client, server, 10**12), daemon=True).start()
                threading.Thread(target=self._copy, args=(server, client, self.most), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, most: int) -> None:
        slow = most < 10**12 and self.pause
        with suppress(OSError):
            while most > 0 and (data := source.recv(1 if slow else min(most, 65536))):
                target.sendall(data)
                most -= len(data)
                if slow:
                    time.sleep(self.pause)
        for sock in (source, target):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class Scripted:
    """A server that says what it is told to, line by line, whatever it is asked; `{tag}` is the last command's."""

    def __init__(self, *answers: bytes) -> None:
        self.answers, self.heard = answers, list[bytes]()
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.sock.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.sock.accept()
                with closing(client), client.makefile("rb") as lines, suppress(OSError):
                    client.sendall(self.answers[0])
                    for answer in self.answers[1:]:
                        line = lines.readline()
                        self.heard.append(line)
                        client.sendall(answer.replace(b"{tag}", line.split(b" ")[0]))
                    lines.readline()
