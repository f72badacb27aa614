"""Where a recruiter says the owner was found. Only what a mail says, never a guess."""

from __future__ import annotations

import re

_LOOKED_AT = 20_000
_SENTENCE = re.compile(r"[.!?](?:\s|$)|\n\s*\n")
_YOUR = (
    r"\b(?:your|you|ihr(?:e[mnr]?|en)?|dein(?:e[mnr]?)?|sie|dich|votre|vos|vous|tu|tus|su|te|tuo|tua|suo|seu|sua|uw|je|"
    r"twój|twoim|din|ditt|ваш\w*|вас)\b"
)
_FOUND = re.compile(
    r"\b(?:saw|seen|found|came across|come across|noticed|discovered|stumbled|looked at|looking at|viewed|impressed"
    r"|read|gesehen|gefunden|aufmerksam|entdeckt|gestoßen|gestossen|vu|trouvé|découvert|consulté|visto|encontr\w+|trovato"
    r"|vist[oa]|notato|vi|gevonden|gezien|bekeken|znalaz\w+|widzia\w+|hittade|såg|fandt|fant|så|löysin|näin|увидел\w*"
    r"|нашел|нашла|нашёл|наткнул\w+|побачи\w+|знайш\w+|buldum|gördüm|našel|našla|viděl\w*|găsit|văzut|találtam|láttam)\b"
)
_MY = re.compile(r"\b(?:my|our|mein\w*|unser\w*|mon|notre|mi|nuestr\w+|mio|nostro|meu|nosso|mijn|onze|мой|наш\w*)\b")
_RESUME = r"(?:resume|résumé|cv|lebenslauf|curricul\w+|currícul\w+|резюме|özgeçmiş)"
_SITE = r"(?:blog|blogpost|website|web site|homepage|webseite|web-?site|site web|sitio web|sito|сайт|блог)"

_YOURS_NEAR = _YOUR + r"\W{1,3}(?:[\w']{1,30}\W{1,3}){0,3}?"
_SAID: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "referral",
        re.compile(r"\b(?:referred me to you|recommended you|gave me your (?:name|number|contact|details|email))\b"),
    ),
    ("referral", re.compile(r"\bhat (?:sie|dich|mir ihren namen|mir ihre nummer) (?:empfohlen|gegeben)\b")),
    ("linkedin", re.compile(rf"{_YOURS_NEAR}linked-?in\b")),
    ("github", re.compile(rf"{_YOURS_NEAR}github\b")),
    ("website", re.compile(rf"{_YOURS_NEAR}{_SITE}\b")),
)
_IF_FOUND: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("old resume", re.compile(rf"\b{_RESUME}\b")),
    ("linkedin", re.compile(r"\blinked-?in\b")),
    ("github", re.compile(r"\bgithub\b")),
    ("search", re.compile(r"\b(?:google|bing|duckduckgo|web search|internet search)\b")),
)


def of(subject: str, text: str) -> str:
    """The origin a mail names: `linkedin`, `github`, `website`, `old resume`, `search`, `referral`; else `unknown`.

    >>> of("A role", "I came across your profile on LinkedIn and liked it.")
    'linkedin'
    >>> of("A role", "Please send your CV. My LinkedIn is linkedin.com/in/sam")
    'unknown'
    """
    for sentence in _SENTENCE.split(f"{subject}\n\n{text[:_LOOKED_AT]}".casefold()):
        said = _in_sentence(sentence)
        if said:
            return said
    return "unknown"


def _in_sentence(sentence: str) -> str:
    found, mine = _FOUND.search(sentence), _MY.search(sentence)
    if found and re.search(_YOUR, sentence):
        for origin, pattern in _IF_FOUND:
            if pattern.search(sentence) and (origin == "old resume" or not mine):
                return origin
    if mine and not found:
        return ""
    return next((origin for origin, pattern in _SAID if pattern.search(sentence)), "")
