"""Baidu's pages of 2015 to 2026: the containers of `#content_left`.

Their links (`baidu.com/link?url=`) lead on only through Baidu: they stand as given. Which host is behind one is told by
the container (`mu`), or shown below the title.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.model import Kind
from monitor.sources.search.pages.dom import Dom, address, path, said, words
from monitor.sources.search.pages.engine import Block, Engine, Layout, line, listed, named

BASE = "https://www.baidu.com/"
_HOST = re.compile(r"(?:.+\.)?baidu\.com")
_KNOWN = path(
    './/*[@id="content_left"]//*[has-class(c-container)] | .//input[@name="wd" and has-class(s_ipt)]'
    ' | .//*[starts-with(@class, "passMod_dialog")] | .//div[has-class(content_none)]//div[has-class(nors)]'
)
_CONTAINERS = path(
    './/*[@id="content_left"]//*[has-class(c-container) or has-class(ec_wise_ad) or @data-tuiguang]'
    '[not(ancestor::*[has-class(c-container)])] | .//*[@id="content_left"]/*[not(has-class(c-container))][@id][@tpl]'
)
_LINK = path(".//h3//a[@href] | .//a[@href][.//h3]")
_SNIPPET = (
    path(".//*[has-class(c-abstract)]"),
    path('.//*[contains(@class, "summary-gap_") or contains(@class, "content-right_")]'),
    path('.//*[contains(@class, "summary-text_")]'),
)
_SHOWN = (path(".//*[has-class(g) or has-class(c-showurl)]"), path('.//*[contains(@class, "c-color-gray")]'))
_AD = path(
    "descendant-or-self::*[@data-tuiguang or has-class(ec-tuiguang) or has-class(ec_tuiguang_ppouter)]"
    ' | descendant-or-self::*[contains(@data-click, "tuiguang")] | .//a[contains(@href, "baidu.com/baidu.php?")]'
)
_OUTWARD = path(".//a[@href]")
_HEADING = (path(".//h3"), path('.//*[contains(@class, "title")]'))
_NONE = path(".//div[has-class(content_none)] | .//div[has-class(nors)]")
_REFUSED = path('.//*[starts-with(@class, "passMod_")] | .//button[has-class(timeout-button)]')
_ALTERED = path('.//*[@id="super_se_tip"]//a | .//*[has-class(hit_top_new)]//a[contains(@href, "wd=")]')
_ASKED = path('.//input[@name="wd"] | .//textarea[@name="wd"]')


def blocks(page: Dom) -> Iterator[Block]:
    """The containers in order."""
    for one in page.find(_CONTAINERS):
        link = next(iter(_LINK(one)), None)
        if link is not None:
            kind = Kind.AD if _AD(one) else Kind.ORGANIC
            shown = one.get("mu") or said(one, *_SHOWN)
            yield (line(kind, address(link.get("href"), BASE), words(link), said(one, *_SNIPPET), shown),)
        elif heading := said(one, *_HEADING) or words(one, 200):
            yield listed(named(one.get("tpl") or ""), heading, _OUTWARD(one)[:200], BASE, _HOST)


def none(page: Dom) -> bool:
    """Whether Baidu says that there is nothing."""
    return bool(page.find(_NONE))


def altered(page: Dom) -> str:
    """The query answered instead."""
    return next((text for link in page.find(_ALTERED) if (text := words(link))), "")


BAIDU = Engine(
    name="baidu",
    provider="baidu",
    host=_HOST,
    known=_KNOWN,
    asked=_ASKED,
    title=re.compile(r"(.+?)_百度搜索"),
    parse=Layout(blocks, none, altered=altered, refused=_REFUSED, own=_HOST).parse,
    parameters=("wd", "word"),
)
