"""The table of sources: (config section, kind) to the class that reads it. A new source is one line here."""

from __future__ import annotations

import importlib
from types import MappingProxyType

from monitor.model import Source

SOURCES = MappingProxyType(
    {
        ("search", "duckduckgo"): "monitor.sources.search.duckduckgo:DuckDuckGo",
        ("search", "brave"): "monitor.sources.search.brave:Brave",
        ("search", "mojeek"): "monitor.sources.search.mojeek:Mojeek",
        ("search", "marginalia"): "monitor.sources.search.marginalia:Marginalia",
        ("search", "kagi"): "monitor.sources.search.kagi:Kagi",
        ("search", "yandex"): "monitor.sources.search.yandex:Yandex",
        ("search", "serper"): "monitor.sources.search.serper:Serper",
        ("search", "serpapi"): "monitor.sources.search.serpapi:SerpApi",
        ("search", "searchapi"): "monitor.sources.search.searchapi:SearchApi",
        ("search", "dataforseo"): "monitor.sources.search.dataforseo:DataForSeo",
        ("search", "searxng"): "monitor.sources.search.searxng:SearXng",
        ("search", "saved_page"): "monitor.sources.search.saved_page:SavedPage",
        ("search", "search_console"): "monitor.sources.search.search_console:SearchConsole",
        ("search", "bing_webmaster"): "monitor.sources.search.bing_webmaster:BingWebmaster",
        ("page_views", "access_log"): "monitor.sources.page_views.access_log:AccessLog",
        ("page_views", "goatcounter"): "monitor.sources.page_views.goatcounter:GoatCounter",
        ("page_views", "umami"): "monitor.sources.page_views.umami:Umami",
        ("page_views", "plausible"): "monitor.sources.page_views.plausible:Plausible",
        ("page_views", "matomo"): "monitor.sources.page_views.matomo:Matomo",
        ("page_views", "wordpress"): "monitor.sources.page_views.wordpress:WordPress",
        ("page_views", "csv"): "monitor.sources.page_views.csv_counter:Csv",
        ("profiles", "github"): "monitor.sources.profiles.github:GitHub",
        ("profiles", "stackexchange"): "monitor.sources.profiles.stackexchange:StackExchange",
        ("profiles", "devto"): "monitor.sources.profiles.devto:DevTo",
        ("profiles", "youtube"): "monitor.sources.profiles.youtube:YouTube",
        ("profiles", "mastodon"): "monitor.sources.profiles.mastodon:Mastodon",
        ("profiles", "bluesky"): "monitor.sources.profiles.bluesky:Bluesky",
        ("profiles", "hackernews"): "monitor.sources.profiles.hackernews:HackerNews",
        ("profiles", "orcid"): "monitor.sources.profiles.orcid:Orcid",
        ("profiles", "gitlab"): "monitor.sources.profiles.gitlab:GitLab",
        ("profiles", "gitea"): "monitor.sources.profiles.gitea:Gitea",
        ("profiles", "wikipedia"): "monitor.sources.profiles.wikipedia:Wikipedia",
        ("profiles", "pypi"): "monitor.sources.profiles.pypi:PyPI",
        ("profiles", "reddit"): "monitor.sources.profiles.reddit:Reddit",
        ("profiles", "x"): "monitor.sources.profiles.x:X",
        ("profiles", "x_analytics"): "monitor.sources.profiles.x_analytics:XAnalytics",
        ("profiles", "instagram"): "monitor.sources.profiles.instagram:Instagram",
        ("profiles", "any_number"): "monitor.sources.profiles.any_number:AnyNumber",
        ("contacts", "imap"): "monitor.sources.contacts.imap:Imap",
        ("contacts", "mbox"): "monitor.sources.contacts.mbox:Mbox",
        ("contacts", "maildir"): "monitor.sources.contacts.maildir:Maildir",
        ("contacts", "linkedin_api"): "monitor.sources.contacts.linkedin_api:LinkedInApi",
        ("contacts", "exposure"): "monitor.sources.contacts.exposure:Exposure",
    }
)


def load(section: str, kind: str) -> type[Source]:
    """The source class for a config block, imported only now.

    Raises KeyError when the table has no such source.
    """
    module, _, name = SOURCES[section, kind].partition(":")
    found: type[Source] = getattr(importlib.import_module(module), name)
    return found
