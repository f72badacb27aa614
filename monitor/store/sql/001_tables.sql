create table owner (
  name text not null,
  timezone text not null
) strict;

create table sources (
  id integer primary key,
  name text not null,
  measure text not null check (measure in ('search', 'page_views', 'profile', 'contacts', 'typed')),
  kind text not null,
  engine text not null,
  provider text not null,
  query text not null,
  locale text not null,
  device text not null,
  day_zone text not null,
  settings text not null,
  added_at text not null check (added_at glob '????-??-??T??:??:??*Z'),
  retired_at text check (retired_at glob '????-??-??T??:??:??*Z')
) strict;
create unique index sources_current on sources (name) where retired_at is null;

create table readings (
  id integer primary key,
  source_id integer not null references sources (id),
  slot text not null check (slot glob '????-??-??T??:??:??*Z'),
  day text not null check (day is date(day)),
  attempt integer not null check (attempt >= 1),
  "trigger" text not null check ("trigger" in ('schedule', 'manual', 'import', 'typed', 'reread')),
  reread_of integer references readings (id),
  started_at text not null check (started_at glob '????-??-??T??:??:??*Z'),
  finished_at text not null check (finished_at glob '????-??-??T??:??:??*Z'),
  outcome text not null
    check (outcome in ('ok', 'empty', 'suspect', 'blocked', 'changed', 'failed', 'missed')),
  reason text not null,
  advice text not null,
  parser integer not null,
  depth integer check (depth >= 0),
  results_hash text,
  note text not null,
  unique (source_id, slot, attempt)
) strict;
create index readings_day on readings (source_id, day, started_at, id);
create trigger readings_append_only before update on readings
begin
  select raise(abort, 'readings are append-only');
end;
create trigger readings_kept before delete on readings when old."trigger" <> 'typed'
begin
  select raise(abort, 'readings are append-only');
end;

create table captures (
  id text primary key,
  media_type text not null,
  size integer not null,
  first_seen_at text not null,
  pruned_at text
) strict, without rowid;

create table exchanges (
  reading_id integer not null references readings (id),
  n integer not null,
  url_asked text not null,
  status integer,
  headers text not null,
  final_url text not null,
  ms integer not null,
  capture_id text references captures (id),
  primary key (reading_id, n)
) strict, without rowid;
create index exchanges_capture on exchanges (capture_id);

create table labels (
  id integer primary key,
  pattern text not null,
  match text not null check (match in ('exact', 'prefix', 'host', 'domain')),
  whose text not null check (whose in ('mine', 'about_me', 'namesake', 'unwanted', 'other')),
  origin text not null check (origin in ('config', 'command')),
  note text not null default '',
  added_at text not null,
  unique (pattern, origin)
) strict;

create table urls (
  id integer primary key,
  url text not null unique,
  canonical text not null,
  host text not null,
  whose text not null default 'other' check (whose in ('mine', 'about_me', 'namesake', 'unwanted', 'other')),
  label_id integer references labels (id) on delete set null
) strict;
create index urls_host on urls (host);
create index urls_whose on urls (whose) where whose <> 'other';

create table texts (
  id integer primary key,
  title text not null,
  snippet text not null,
  shown_host text not null,
  unique (title, snippet, shown_host)
) strict;
create virtual table texts_fts using fts5 (
  title, snippet, content = 'texts', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
create trigger texts_ai after insert on texts
begin
  insert into texts_fts (rowid, title, snippet) values (new.id, new.title, new.snippet);
end;
create trigger texts_ad after delete on texts
begin
  insert into texts_fts (texts_fts, rowid, title, snippet) values ('delete', old.id, old.title, old.snippet);
end;

create table results (
  reading_id integer not null references readings (id),
  block integer not null,
  sub_index integer not null,
  kind text not null check (kind in ('organic', 'sitelink', 'ad', 'news', 'video', 'image', 'answer',
    'people_also_ask', 'knowledge', 'local', 'other')),
  position integer check (position >= 1),
  position_absolute integer check (position_absolute >= 1),
  url_id integer references urls (id),
  text_id integer not null references texts (id),
  match_precision text not null check (match_precision in ('exact', 'host')),
  primary key (reading_id, block, sub_index),
  check (position is null or kind = 'organic')
) strict, without rowid;
create index results_url on results (url_id, reading_id, position);

create table paths (
  id integer primary key,
  path text not null unique
) strict;

create table page_views (
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  path_id integer not null references paths (id),
  views integer not null check (views >= 0),
  visitors integer,
  rule text not null,
  complete integer not null check (complete in (0, 1)),
  reading_id integer not null references readings (id),
  primary key (source_id, day, path_id)
) strict, without rowid;
create index page_views_path on page_views (path_id, day);

create table site_views (
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  views integer not null check (views >= 0),
  visitors integer,
  feed_views integer,
  rule text not null,
  complete integer not null check (complete in (0, 1)),
  reading_id integer not null references readings (id),
  primary key (source_id, day)
) strict, without rowid;

create table referrers (
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  referrer text not null,
  medium text not null,
  views integer not null check (views >= 0),
  reading_id integer not null references readings (id),
  primary key (source_id, day, referrer)
) strict, without rowid;

create table not_counted (
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  reason text not null,
  lines integer not null check (lines >= 0),
  reading_id integer not null references readings (id),
  primary key (source_id, day, reason)
) strict, without rowid;

create table log_files (
  id integer primary key,
  source_id integer not null references sources (id),
  name text not null,
  dev integer not null,
  ino integer not null,
  size integer not null,
  mtime_ns integer not null,
  "offset" integer not null,
  head_len integer not null,
  head_hash text not null,
  tail_hash text not null,
  done integer not null check (done in (0, 1)),
  first_seen text not null,
  last_seen text not null
) strict;
create index log_files_source on log_files (source_id);

create table log_gaps (
  id integer primary key,
  source_id integer not null references sources (id),
  log_file_id integer not null references log_files (id),
  at text not null,
  name text not null,
  "offset" integer not null,
  reading_id integer not null references readings (id),
  unique (log_file_id)
) strict;

create table counts (
  source_id integer not null references sources (id),
  profile text not null,
  metric text not null,
  window text not null,
  day text not null check (day is date(day)),
  value integer,
  state text not null check (state in ('read', 'missing', 'hidden', 'gone')),
  precision text not null check (precision in ('exact', 'rounded', 'at_least')),
  definition text not null,
  reading_id integer not null references readings (id),
  primary key (source_id, profile, metric, window, day),
  check ((value is null) = (state <> 'read'))
) strict, without rowid;

create table revisions (
  id integer primary key,
  table_name text not null,
  key text not null,
  day text not null,
  old integer,
  new integer,
  old_reading_id integer references readings (id),
  reading_id integer not null references readings (id)
) strict;

create table contacts (
  id integer primary key,
  at text,
  day text not null check (day is date(day)),
  kind text not null check (kind in ('inmail', 'request', 'message', 'mail', 'call')),
  origin text not null,
  source_id integer not null references sources (id),
  sender_domain text not null default '',
  sender_key text,
  message_key text,
  reason text not null default '',
  note text not null default '',
  reading_id integer not null references readings (id)
) strict;
create index contacts_day on contacts (day);

create table events (
  id integer primary key,
  day text not null check (day is date(day)),
  title text not null,
  url text not null default '',
  note text not null default '',
  reading_id integer not null references readings (id)
) strict;

create table hosts (
  host text primary key,
  next_at text,
  not_before text,
  blocked_in_row integer not null default 0,
  open_until text,
  month text not null default '',
  calls integer not null default 0,
  cost integer not null default 0
) strict, without rowid;

create table heartbeat (
  id integer primary key check (id = 1),
  pid integer not null,
  started_at text not null,
  beat_at text not null,
  note text not null default ''
) strict;
