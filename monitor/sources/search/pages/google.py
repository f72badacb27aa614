"""Google's pages: desktop of 2015 to 2026, mobile, and without JavaScript.

What held over all those years: a result is a link around (or inside) an `h3`; advertisements stand under
`data-text-ad` or in `#tads` and `#tadsb`; questions under `data-q`; sitelinks in a table or list under their result,
without an address shown. Where no `h3` is (mobile, no JavaScript), the link of a result shows its own host inside
itself. Class names change every few months and only lend a hand.

A featured snippet's page is a result, as serposcope's hand-checked lists have it, and so is one that stands indented
under another of its site with its own address.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from monitor import urls
from monitor.model import Kind, LayoutChanged, Result
from monitor.sources.search.pages.dom import Dom, Tag, address, has_class, parameter, path, said, words
from monitor.sources.search.pages.engine import Block, Engine, Layout, below, line, listed, same, says
from monitor.sources.search.pages.saved import instant

BASE = "https://www.google.com/"
_HOST = re.compile(r"(?:.+\.)?google\.(?:com|[a-z]{2}|com?\.[a-z]{2})")
_FAMILY = re.compile(r"(?:.+\.)?(?:google\.[a-z.]{2,6}|youtube\.com|blogger\.com|withgoogle\.com)")
_OURS = re.compile(
    r"scholar\.google\.[a-z.]{2,6}/scholar\?|maps\.google\.[a-z.]{2,6}/maps\?"
    r"|(?:www\.)?google\.[a-z.]{2,6}/(?:search|imgres|aclk|url|preferences|advanced_search|setprefs)\?"
)
_WITHOUT_SCRIPT = path('.//*[@id="main"][not(.//*[@id="rso"])]')
_KNOWN = path(
    './/*[@id="gsr" or @id="rso" or contains(@src, "httpservice/retry/enablejs")]'
    ' | .//meta[@itemprop="image"][contains(@content, "/images/")][contains(@content, "google")]'
    ' | .//title[starts-with(normalize-space(.), "https://www.google.")]'
    ' | .//form[@id="captcha-form"][.//*[@data-sitekey]]'
    ' | .//form[@action="/search"][.//*[@name="q"]][ancestor::body//a[starts-with(@href, "/url?")]]'
)
_ASKED = path('.//textarea[@name="q"] | .//input[@name="q"]')
_DESKTOP = path('.//*[@id="rcnt"]')
_VIEWPORT = path('.//meta[@name="viewport"][contains(@content, "width=device-width")]')

# Where something may stand, in page order: links with a title, and the roots of blocks other than results.
_ROOTS = (
    './/*[@data-rpos or @data-text-ad or @data-mcpr or self::g-section-with-header or @id="imagebox_bigimages"'
    " or has-class(ads-ad) or has-class(related-question-pair)"
    " or has-class(kp-wholepage) or has-class(kp-blk) or has-class(kno-kp)]"
)
_PLACES = path(f".//a[@href][.//h3 or ancestor::h3] | {_ROOTS}")
_PLACES_PLAIN = path(f".//a[@href][.//h3 or ancestor::h3 or .//div or .//br] | {_ROOTS}")
_PLACES_MOST = 5000
_OUTWARD = path('.//a[@href][not(starts-with(@href, "/search") or starts-with(@href, "#"))]')
_HEADING = path('.//*[@role="heading"] | .//h2 | .//h3')
_TITLE = (path(".//h3"), path("ancestor::h3"), path('.//*[@role="heading"]'))
_FIRST = path("./*")
_CITE = path(".//cite")
_SNIPPET = (
    path(".//*[@data-sncf]"),
    path('.//*[has-class(VwiC3b)] | .//*[contains(@style, "-webkit-line-clamp")]'),
    path(".//*[has-class(st) or has-class(s3v9rd)]"),
)
_QUESTIONS = path("descendant-or-self::*[@data-q]")
_PAIR = path("self::*[has-class(related-question-pair)]")
_MAP = re.compile(r"/maps/(?:dir|place)/|maps\.google\.")
_NOBODY = re.compile(r"(?!)")
_ASIDE = ("related-question-pair",)
_TOP = frozenset({"rso", "search", "res", "center_col", "main", "rcnt", "ires", "botstuff"})
_LISTS = frozenset({"table", "tr", "td", "ul", "ol", "li"})

_NONE = path(
    './/*[@id="topstuff" or @id="botstuff" or has-class(mnr-c)]//p[@role="heading"][.//em or .//b or .//span]'
    "[following-sibling::ul or following-sibling::*//ul]"
)
_NONE_SAID = re.compile(
    r"did not match any|stimmt mit keinem|keine mit Ihrer Suchanfrage|ne correspond à aucun|no obtuvo ningún resultado"
    r"|non ha prodotto risultati|não encontrou nenhum|leverde geen|ничего не найдено"
)
_SPELLED = path('.//a[@id="fprsl" or @id="srfl" or has-class(spell)][ancestor::*[@id="taw" or @id="topstuff"]]')
_NOTICE = path('.//*[@id="topstuff"]')
_MARKED = path(".//*[self::b or self::em or self::i or self::strong or self::a][not(.//b or .//em or .//i)]")
_EVENT = re.compile(r"""\bkEI\s*[:=]\s*['"]([\w-]{8,40})['"]|[?&;]s?ei=([\w-]{16,40})""")

# What a block is, by its heading in the languages seen; the rest is known by where it stands, or is `other`.
_NAMED = (
    (re.compile(r"^(?:top stories|latest|local news|news|à la une|schlagzeilen|noticias)", re.I), Kind.NEWS),
    (re.compile(r"\bvid[eé]os?\b|\bclips\b", re.I), Kind.VIDEO),
    (re.compile(r"^(?:images?|bilder|imágenes)\b", re.I), Kind.IMAGE),
    (re.compile(r"^(?:places|businesses|locations|hotels|results for|lieux|adresses|orte)\b", re.I), Kind.LOCAL),
    (re.compile(r"^(?:ads?|sponsored|annonces?|anzeigen?)\b", re.I), Kind.AD),
)


def blocks(page: Dom) -> Iterator[Block]:
    """Everything in page order, whichever layout this is."""
    if parameter(page.origin.url, ("tbm", "udm")) not in ("", "14"):
        raise LayoutChanged(detail="this is the page of images, videos or news, not of all results")
    plain = not page.find(_DESKTOP)
    places = page.find(_PLACES_PLAIN if plain else _PLACES)
    if len(places) > _PLACES_MOST:
        raise LayoutChanged(detail="more links and blocks than any page of results")
    lines = dict(_lines(places, plain=plain, cards=plain and bool(page.find(_WITHOUT_SCRIPT))))
    results = {tag: url for tag, (kind, url) in lines.items() if kind is Kind.ORGANIC}
    under = _sitelinks(results)
    inside = Counter(outer for tag in results if tag not in under for outer in tag.iterancestors())
    holding = {*inside, *(outer for tag in lines for outer in tag.iterancestors())}
    asked = next((field.get("value") or field.text or "" for field in page.find(_ASKED)), "")
    taken: set[Tag] = set()
    block: list[Result] = []
    for tag in places:
        found: Block = ()
        if tag in under:
            if all(one.url != results[tag] for one in block):
                block.append(line(Kind.SITELINK, results[tag], _title(tag)))
        elif tag in results:
            found = tuple(_result(tag, results[tag], inside))
        elif tag in lines:
            kind, url = lines[tag]
            found = (line(kind, url, _title(tag)),)
        elif tag.tag != "a" and tag not in holding and not any(outer in taken for outer in tag.iterancestors()):
            found = _other(tag, asked)
        if found:
            taken.update(() if tag.tag == "a" else (tag,))
            if block:
                yield tuple(block)
            block = list(found)
    if block:
        yield tuple(block)


def _lines(places: list[Tag], *, plain: bool, cards: bool) -> Iterator[tuple[Tag, tuple[Kind, str]]]:
    """The links that are lines of their own: what each is, and where it leads."""
    for link in places:
        url = address(link.get("href"), BASE) if link.tag == "a" else ""
        if not url or _OURS.match(url.partition("://")[2]) or (plain and not _has_title(link, url)):
            continue
        kind = _kind(link)
        if kind is not None and not (cards and _is_inner_card(link)):
            yield link, (kind, url)


def _kind(link: Tag) -> Kind | None:
    """What a link with a title is, by what it stands in; None for one that is no line of its own."""
    for outer in link.iterancestors():
        place = outer.get("id")
        if outer.get("data-text-ad") is not None or has_class(outer, "ads-ad"):
            return None  # an advertisement is one line, however many links it has
        if place in ("tads", "tadsb", "tvcap"):
            return Kind.AD
        if any(outer.get(mark) is not None for mark in ("data-q", "data-attrid", "data-mcpr")):
            return None
        if outer.tag == "g-scrolling-carousel" or place in ("rhs", "rhs_block") or has_class(outer, *_ASIDE):
            return None
        if outer.get("data-vid"):
            return Kind.VIDEO
    return Kind.ORGANIC


def _is_inner_card(link: Tag) -> bool:
    """Without JavaScript: whether a link's card stands within another card, as those of questions and carousels do."""
    names = [name for outer in link.iterancestors("div") for name in set((outer.get("class") or "").split())]
    return len(names) > len(set(names))


def _has_title(link: Tag, url: str) -> bool:
    """Whether a link has an `h3`, or else shows the host it leads to beside a title."""
    if _TITLE[0](link) or _TITLE[1](link):
        return True
    text, host = words(link).lower(), urls.host(url)
    return host in text and len(text) > len(host) + 12 and len(_FIRST(link)) + len(_TITLE[2](link)) > 1


def _title(link: Tag) -> str:
    """The title of a result; without a heading the first part of its link that says anything."""
    return said(link, *_TITLE) or next((text for part in _FIRST(link) if (text := words(part))), words(link))


def _sitelinks(results: dict[Tag, str]) -> set[Tag]:
    """The links that stand under the result before them: in a table or list beside it, and show no address."""
    found: set[Tag] = set()
    around: set[Tag] = set()
    for link in results:
        outers = list(link.iterancestors())
        apart = next((n for n, outer in enumerate(outers) if outer in around), 0)
        shared = outers[apart].get("id") not in _TOP and outers[apart].tag not in ("body", "html", "ol")
        lists = [outer for outer in outers[:apart] if outer.tag in _LISTS or has_class(outer, "mslg", "nmcw", "osl")]
        own = any(outer.get("data-hveid") for outer in outers[: outers.index(lists[0])]) if lists else False
        if around and shared and lists and not own and not _CITE(lists[0]):
            found.add(link)
        else:
            around = set(outers)
    return found


def _result(link: Tag, url: str, inside: Counter[Tag]) -> Iterator[Result]:
    """A result, and the links to its own site that stand in its text."""
    frame = link
    for outer in link.iterancestors():
        if inside[outer] > 1 or outer.get("id") in _TOP or outer.tag in ("body", "ol"):
            break
        frame = outer
    snippet = said(frame, *_SNIPPET) or words(frame, 500).removeprefix(words(link, 500)).strip()
    result = line(Kind.ORGANIC, url, _title(link), snippet, said(frame, _CITE) or _address_shown(link))
    yield result
    host, page = urls.host(url), url.partition("#")[0]
    if result.match_precision == "host":
        return  # all that Google wraps is on Google's host
    for one in below(_OUTWARD(frame)[:200], result, BASE, _NOBODY):
        if urls.host(one.url) == host and one.url.partition("#")[0] != page:
            yield one


def _address_shown(link: Tag) -> str:
    """On pages without `cite`: the part of the link that reads as an address."""
    parts = (words(part, 300) for part in link.iter("div", "span"))
    return next((text for text in parts if re.match(r"(?:https?://)?[\w-]+(?:\.[\w-]+)+(?:\s|$)", text)), "")


def _other(tag: Tag, asked: str) -> Block:
    """A block that is no result: an advertisement, or one known by its heading or by where it stands."""
    heading = said(tag, _HEADING)
    links = _OUTWARD(tag)[:200]
    if tag.get("data-text-ad") is not None or has_class(tag, "ads-ad"):
        return listed(Kind.AD, heading, (link for link in links if words(link, 20)), BASE, _NOBODY, most=1)
    if tag.get("data-mcpr") is not None:  # it stands empty on pages without an overview
        return tuple(one for one in listed(Kind.ANSWER, heading, links, BASE, _HOST) if one.url)
    questions = [one.get("data-q") for one in _QUESTIONS(tag)[:50]] or [words(one, 200) for one in _PAIR(tag)]
    if questions:
        return tuple(line(Kind.PEOPLE_ALSO_ASK, title=one) for one in dict.fromkeys(questions) if not same(one, asked))
    return listed(_named(tag, heading, links), heading or words(tag, 60), links, BASE, _HOST)


def _named(tag: Tag, heading: str, links: list[Tag]) -> Kind:
    for pattern, kind in _NAMED:
        if pattern.search(heading):
            return kind
    if any(outer.get("id") in ("rhs", "rhs_block") for outer in tag.iterancestors()):
        return Kind.KNOWLEDGE
    if any(_MAP.search(link.get("href")) for link in links):
        return Kind.LOCAL
    knows = has_class(tag, "kp-wholepage", "kp-blk", "kno-kp")
    return Kind.KNOWLEDGE if knows else Kind.IMAGE if tag.get("id") == "imagebox_bigimages" else Kind.OTHER


def none(page: Dom) -> bool:
    """Whether Google says that nothing matches: by the shape of that notice, or without JavaScript by its words."""
    return bool(page.find(_NONE)) or says(page, _NONE_SAID, _FAMILY)


def altered(page: Dom) -> str:
    """The query answered instead: of a corrected spelling, or one without its quotes or signs."""
    spelled = next((text for link in page.find(_SPELLED) if link.get("href") and (text := words(link))), "")
    if spelled:
        return spelled
    marked = [text for notice in page.find(_NOTICE) for tag in _MARKED(notice)[:20] if (text := words(tag))]
    for one, other in pairwise(marked):
        if not same(one, other) and same(re.sub(r"[^\w\s]", "", one), re.sub(r"[^\w\s]", "", other)):
            return other
    return ""


def saved_at(page: Dom) -> datetime | None:
    """When Google made the page: the first four bytes of its event id are Unix seconds, the least byte first.

    Checked on pages whose time is known: 'P5CFafrOEt2EwbkPybnWoQ8' is 2026-02-06 06:54:55 UTC.
    """
    found = _EVENT.search(page.text)
    if found is None:
        return None
    event = (found[1] or found[2])[:8]
    return instant(int.from_bytes(base64.urlsafe_b64decode(event)[:4], "little"))


def device(page: Dom) -> str:
    """desktop, mobile, or empty where a page without JavaScript does not tell."""
    if page.find(_DESKTOP):
        return "desktop"
    return "mobile" if page.find(_VIEWPORT) else ""


GOOGLE = Engine(
    name="google",
    provider="google",
    host=_HOST,
    known=_KNOWN,
    asked=_ASKED,
    title=re.compile(r"(.+?) [-–] (?:\w+ )?Google\b.*"),
    parse=Layout(blocks, none, altered=altered, own=_FAMILY).parse,
    saved_at=saved_at,
    device=device,
)
