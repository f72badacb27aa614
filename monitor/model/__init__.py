"""The vocabulary: what is asked, what came back, what was read from it.

Every word here is one of the design's glossary (docs/design.md, section 2). This room imports nothing of ours and does
nothing: it is what all the others agree on. All instants are aware UTC datetimes; a `day` is a local calendar day.
"""

from monitor.model.answers import Batch, Blocked, Capture, Exchange, FetchFailed, LayoutChanged, MailBatch, NotAsked
from monitor.model.asked import Files, Http, LogCursor, LogGap, Mail, MailCursor, Pairs, Request, Secret, Value
from monitor.model.records import (
    Contact,
    Count,
    ExposureCheck,
    MailSeen,
    NotCounted,
    PageViews,
    Record,
    Referrer,
    Result,
    Shown,
    SiteViews,
    Visitors,
)
from monitor.model.source import Context, Parsed, Reading, Series, Source, each, no_hash, no_key, no_mail_of_ours, slug
from monitor.model.words import Kind, Measure, Outcome, Trigger

__all__ = [
    "Batch", "Blocked", "Capture", "Contact", "Context", "Count", "Exchange", "ExposureCheck", "FetchFailed", "Files",
    "Http", "Kind", "LayoutChanged", "LogCursor", "LogGap", "Mail", "MailBatch", "MailCursor", "MailSeen", "Measure",
    "NotAsked",
    "NotCounted", "Outcome", "PageViews", "Pairs", "Parsed", "Reading", "Record", "Referrer", "Request", "Result",
    "Secret", "Series", "Shown", "SiteViews", "Source", "Trigger", "Value", "Visitors", "each", "no_hash", "no_key",
    "no_mail_of_ours",
    "slug",
]  # fmt: skip
