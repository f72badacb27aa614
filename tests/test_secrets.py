from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.fetch.secrets import Redactor, resolve
from monitor.model import NotAsked, Secret

VALUE = "s3cret-value"


def write(path: Path, text: str = VALUE, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def trouble(secret: Secret, base: Path, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(NotAsked) as caught:
        resolve(secret, base, environ or {})
    assert caught.value.reason == "key_missing"
    assert VALUE not in str(caught.value)
    return caught.value.detail


def test_an_environment_variable_is_stripped_and_prefixed(tmp_path: Path) -> None:
    assert resolve(Secret(env="KEY", prefix="Bearer "), tmp_path, {"KEY": f" {VALUE}\n"}) == f"Bearer {VALUE}"


def test_the_credential_of_systemd_wins_over_a_named_file_and_that_over_the_variable(tmp_path: Path) -> None:
    environ = {"KEY": "third", "KEY_FILE": str(write(tmp_path / "elsewhere", "second\n", 0o444))}
    assert resolve(Secret(env="KEY"), tmp_path, environ) == "second"
    environ["CREDENTIALS_DIRECTORY"] = str(tmp_path)
    assert resolve(Secret(env="KEY"), tmp_path, environ) == "second"
    write(tmp_path / "KEY", "first\n", 0o440)
    assert resolve(Secret(env="KEY"), tmp_path, environ) == "first"


def test_a_file_is_relative_to_the_config(tmp_path: Path) -> None:
    write(tmp_path / "brave.key", VALUE + "\n")
    assert resolve(Secret(file="brave.key"), tmp_path, {}) == VALUE
    assert resolve(Secret(file=str(tmp_path / "brave.key")), Path("/"), {}) == VALUE


@pytest.mark.parametrize("environ", [{}, {"BRAVE_API_KEY": ""}, {"BRAVE_API_KEY": " \n"}])
def test_a_missing_variable_is_named(tmp_path: Path, environ: dict[str, str]) -> None:
    assert trouble(Secret(env="BRAVE_API_KEY"), tmp_path, environ) == "the environment variable BRAVE_API_KEY"


def test_a_named_file_that_is_not_there_does_not_fall_back_silently(tmp_path: Path) -> None:
    detail = trouble(Secret(env="KEY"), tmp_path, {"KEY": VALUE, "KEY_FILE": str(tmp_path / "none")})
    assert detail == "the file that KEY_FILE names: it does not exist"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    write(tmp_path / "brave.key", mode=mode)
    assert trouble(Secret(file="brave.key"), tmp_path) == "file brave.key: chmod 600 it"


def test_what_is_no_usable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    write(tmp_path / "empty", "\n")
    (write(tmp_path / "binary")).write_bytes(b"\xff\xfe\x00")
    write(tmp_path / "lines", f"{VALUE}\nInjected: header")
    details = {name: trouble(Secret(file=name), tmp_path) for name in ("none", "folder", "pipe", "empty", "binary")}
    assert details == {
        "none": "file none: it does not exist",
        "folder": "file folder: it is not a regular file",
        "pipe": "file pipe: it is not a regular file",
        "empty": "file empty: it is empty",
        "binary": "file binary: one line of plain text",
    }
    assert trouble(Secret(file="lines"), tmp_path) == "file lines: one line of plain text"


@given(st.text(min_size=1, max_size=12), st.sampled_from([str, quote, quote_plus, lambda v: quote(quote(v))]))
def test_a_secret_is_taken_out_however_it_is_quoted(value: str, how: object) -> None:
    try:
        text = f"<{how(value)}>"  # type: ignore[operator]
    except UnicodeEncodeError:
        return
    assert Redactor([value])(text) == "<***>" or any(c in "<>*" for c in value)


def test_longer_secrets_go_first_and_the_rest_stays() -> None:
    redact = Redactor(["abc", "abcdef", ""])
    assert redact("x=abcdef&y=abc&z=ab") == "x=***&y=***&z=ab"
    assert Redactor([])("as it was") == "as it was"
    assert Redactor(["a+b/c"])("k=a%2bb%2Fc") == "k=***"
