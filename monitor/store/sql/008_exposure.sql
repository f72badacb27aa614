-- Whether the owner's own identifiers stand on pages: each a keyed hash and a mask, never the thing itself.
create table identifiers (
  id integer primary key,
  source_id integer not null references sources (id),
  kind text not null check (kind in ('phone', 'mail', 'address')),
  key text not null,
  masked text not null,
  added_at text not null,
  retired_at text,
  unique (source_id, key)
) strict;

-- The pages that are looked at now. `unasked` says why one never is.
create table exposure_pages (
  source_id integer not null references sources (id),
  url_id integer not null references urls (id),
  allowed integer not null check (allowed in (0, 1)),
  unasked text not null check (unasked in ('', 'linkedin', 'opaque_link')),
  primary key (source_id, url_id)
) strict, without rowid;

-- Each look at a page for one identifier. page_gone: the page itself is gone (404, 410).
create table exposure_checks (
  url_id integer not null references urls (id),
  identifier_id integer not null references identifiers (id),
  reading_id integer not null references readings (id),
  day text not null check (day is date(day)),
  verdict text not null check (verdict in ('found', 'not_found', 'page_gone', 'could_not_read')),
  reason text not null,
  place text not null,
  sha256 text,
  primary key (url_id, identifier_id, reading_id),
  check ((reason = '') = (verdict in ('found', 'not_found')))
) strict, without rowid;
