"""The config of the story, as its owner wrote it over time. Its addresses lead nowhere, whoever runs it."""

from __future__ import annotations

import json

from monitor.demo import sites, story

MAILBOX = "mail/ada-marlowe"
KEY = 'key = { env = "DEMO_HAS_NO_KEY" }'
SIGN = "# An invented history, made by `monitor demo`."
HEAD = """\
{sign} Nobody in it exists, and none of these addresses leads anywhere (.example,
# RFC 6761). Try the commands on it: monitor --config {config} worth --months 18
[owner]
name = "{owner}"
timezone = "{zone}"

[store]
path = "{file}"
keep_captures = "600d"

[web]
port = {port}
"""
FIRST = f"""
[[search]]
kind = "duckduckgo"
queries = ["{story.NAME}"]
url = "https://duckduckgo.example/html/"

[[search]]
kind = "brave"
queries = ["{story.NAME}"]
pages = 1
{KEY}
url = "https://brave.example/search"

[[search]]
kind = "serper"
queries = ["{story.NAME}", "{story.SURNAME}"]
gl = "gb"
pages = 2
{KEY}
url = "https://serper.example/search"

[[search]]
kind = "serpapi"
engine = "bing"
queries = ["{story.NAME}"]
gl = "gb"
{KEY}
url = "https://serpapi.example/search"

[[page_views]]
kind = "access_log"
site = "ada-marlowe.example"
files = "demo-has-no.log"
at = "00:20"

[[profiles]]
kind = "github"
user = "{sites.GITHUB_USER}"
repositories = ["{sites.REPOSITORY}"]
{KEY}
url = "https://github.example"

[[profiles]]
kind = "stackexchange"
user = {sites.STACK_USER}
every = "7d"
url = "https://stackexchange.example"
"""
OLD_MAIL = f"""
[[contacts]]
kind = "imap"
name = "mail/old-host"
host = "mail.old-host.example"
user = "ada@old-host.example"
{KEY}
"""
SECOND = f"""
[[search]]
kind = "mojeek"
queries = ["{story.NAME}"]
url = "https://mojeek.example/search"

[[profiles]]
kind = "youtube"
channel = "{sites.CHANNEL}"
every = "7d"
{KEY}
url = "https://youtube.example"

[[profiles]]
kind = "mastodon"
account = "{sites.SOCIAL}"
every = "7d"
"""
NEW_MAIL = f"""
[[contacts]]
kind = "imap"
name = "{MAILBOX}"
host = "mail.example"
user = "ada@ada-marlowe.example"
agencies = ["harbourline-talent.example", "bluepeak-recruiting.example"]
{KEY}
"""
LAST = f"""
[[contacts]]
kind = "exposure"
phones = {{ env = "DEMO_HAS_NO_PHONES" }}
pages = ["{story.SITE}/", "{story.RESUME}"]
every = "1d"
results = 0
"""
STAGES = (FIRST + OLD_MAIL, FIRST, FIRST + SECOND + NEW_MAIL, FIRST + SECOND + NEW_MAIL + LAST)


def config(stage: int, file: str, port: int = 8010) -> str:
    """The text of the config file at a stage of the story; -1 is today's."""
    labels = "".join(f"{whose} = {json.dumps(patterns)}\n" for whose, patterns in story.LABELS.items())
    name = file.removesuffix(".db") + ".toml"
    head = HEAD.format(sign=SIGN, owner=story.OWNER, zone=story.ZONE, file=file, port=port, config=name)
    return f"{head}\n[labels]\n{labels}{STAGES[stage]}"
