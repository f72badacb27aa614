"""The reasons beside an outcome, each with one plain sentence that names the owner's next step.

The words are the public interface (`readings.reason`); docs/design.md section 6 lists them by outcome.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

from monitor.model import Outcome


class Reason(NamedTuple):
    """A reason code's outcome and its advice; `{host}`, `{detail}` and `{name}` are filled in."""

    outcome: Outcome
    advice: str


_F, _B, _C, _S, _M = Outcome.FAILED, Outcome.BLOCKED, Outcome.CHANGED, Outcome.SUSPECT, Outcome.MISSED

REASONS = MappingProxyType(
    {
        # failed: no usable answer
        "dns": Reason(_F, "The name {host} could not be looked up; check this machine's network. It is tried again."),
        "connection": Reason(_F, "{host} could not be reached; check this machine's network. It is tried again."),
        "timeout": Reason(_F, "{host} did not answer in time. It is tried again; nothing to do unless it stays so."),
        "tls": Reason(_F, "The certificate of {host} was not accepted ({detail}); check the address and the clock."),
        "truncated": Reason(_F, "The answer of {host} broke off. It is tried again."),
        "bad_encoding": Reason(_F, "The answer of {host} could not be unpacked. It is tried again."),
        "bad_answer": Reason(_F, "{host} answered in something that is not HTTP; check url. It is tried again."),
        "empty_answer": Reason(_F, "{host} answered with nothing at all ({detail}). It is tried again."),
        "too_large": Reason(_F, "The answer of {host} is larger than the limit; check that url is the right page."),
        "server_error": Reason(_F, "{host} reported a fault of its own ({detail}). It is tried again."),
        "not_found": Reason(_F, "{host} has no such page ({detail}); check the names in the config."),
        "bad_request": Reason(_F, "{host} did not accept the question ({detail}); check the settings of {name}."),
        "redirect": Reason(_F, "{host} sent us in a circle or to an address not allowed ({detail}); check url."),
        "forbidden_address": Reason(_F, "{host} led to a private address ({detail}), which is not asked; check url."),
        "no_file": Reason(
            _F, "No file matches {detail}; set files of {name} in config.toml to where your web server writes."
        ),
        "no_permission": Reason(_F, "{detail} may not be read; let this user read it (logs on Debian: group adm)."),
        "damaged_file": Reason(_F, "{detail} is damaged; what could be read of it is counted, and the rest is a gap."),
        "package_missing": Reason(
            _F,
            "{detail} is packed with zstd, so it was not read: pip install 'presence-monitor[zstd]', then it is.",
        ),
        "no_mailbox": Reason(_F, "No mailbox is at {detail}; set {name} in config.toml to where the mail stands."),
        "no_folder": Reason(
            _F, "{host} has no folder {detail} that can be read; set folders of {name} in config.toml."
        ),
        "no_imap": Reason(
            _F, "{host} answered in something that is not IMAP; check host, port and tls of {name}. It is tried again."
        ),
        "no_tls": Reason(
            _F,
            "Without TLS the password of {name} could be read on its way to {host}, so nothing was sent; set tls to "
            '"tls" or "starttls".',
        ),
        "unknown_format": Reason(
            _C,
            "Nothing was counted of {detail}: its lines are in no log format that can be counted; let the web server "
            "write the combined format, or say with format how {name} is written.",
        ),
        # blocked: a refusal
        "captcha": Reason(_B, "{host} asked for a captcha, which is not solved; it is left alone for a while."),
        "challenge": Reason(_B, "{host} answered with a challenge for robots; it is left alone for a while."),
        "consent": Reason(_B, "{host} asked for consent first; it cannot be read without a browser."),
        "denied": Reason(_B, "{host} refused ({detail}); check the key of {name} and its rights."),
        "rate_limited": Reason(_B, "{host} said: too many requests; it is asked again later."),
        "login_wall": Reason(_B, "{host} wants a login; its number can be added by hand: monitor add count."),
        "login_page": Reason(
            _B,
            "{host} showed a login page and no number ({detail}); give {name} a key, or add the number by hand: "
            "monitor add count.",
        ),
        "login_refused": Reason(
            _B,
            "{host} refused the login of {name} ({detail}); set an app password if your provider wants one (Gmail, "
            "iCloud and Yahoo do), then monitor check {name} --force. Until tomorrow it is not tried again by itself.",
        ),
        "robots": Reason(_B, "The robots.txt of {host} asks not to be read; set [fetch] robots to change that."),
        # changed: an answer in a layout we do not know
        "layout_unknown": Reason(
            _C, "{host} answered with a page that is not understood; the page is kept: update Monitor, then reread."
        ),
        "selector_nothing": Reason(
            _C,
            "What {name} looks for is not on the page of {host} ({detail}); see what is with monitor try, then mend "
            "the block.",
        ),
        "selector_several": Reason(
            _C,
            "What {name} looks for stands on the page of {host} several times ({detail}); make it narrower with "
            "monitor try.",
        ),
        "not_a_number": Reason(
            _C,
            "What {name} found at {host} is not taken for a number ({detail}); mend its locale or what it looks for "
            "with monitor try.",
        ),
        "js_required": Reason(_C, "{host} answered with a page that needs JavaScript; use an API or import by hand."),
        "parser_error": Reason(
            _C, "Reading the answer of {host} met a fault of Monitor's; the page is kept: report it."
        ),
        # suspect: parsed, but a sanity check failed
        "decoy": Reason(_S, "The results of {host} have little to do with the query, so no rank is drawn from them."),
        "query_altered": Reason(_S, "{host} answered for other words ({detail}), so no rank is drawn from it."),
        "one_host": Reason(_S, "All results of {host} are one site's, so no rank is drawn from them."),
        "same_page": Reason(_S, "{host} gave page 1 again for page 2, so no rank is drawn from it."),
        "control_failed": Reason(_S, "The control query of {host} failed, so no rank is drawn from it."),
        "empty_unverified": Reason(_S, "{host} gave nothing and did not say why; it is not taken for an answer."),
        # missed: the slot passed unasked
        "off": Reason(_M, "Monitor was not running then; leave it running to close such gaps."),
        "asleep": Reason(_M, "This machine was asleep then; let it wake for the daily reading to close such gaps."),
        "breaker": Reason(_M, "{host} refused several times in a row and is left alone until {detail}."),
        "budget": Reason(
            _M, "The monthly budget of {name} is used up ({detail}); raise it or wait for the month's end."
        ),
        "key_missing": Reason(_M, "The key of {name} is missing: set {detail}."),
        "not_before": Reason(_M, "{host} asked to be left alone until {detail}."),
        "disk": Reason(_M, "The disk is nearly full, so nothing was asked; make room."),
        # empty: truly none
        "no_results": Reason(Outcome.EMPTY, "{host} says that it has nothing for this."),
    }
)


def advice(reason: str, *, host: str = "", detail: str = "", name: str = "") -> str:
    """The sentence for a reason, filled in; empty for a reason that needs none."""
    if reason not in REASONS:
        return ""
    return REASONS[reason].advice.format(host=host or "the source", detail=detail or "no detail", name=name)
