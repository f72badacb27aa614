-- Frozen by tests/schemas/make.py; never edited.
pragma application_id = 1297043017;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE TABLE owner (
  name text not null,
  timezone text not null
, config text not null default '') strict;
CREATE TABLE sources (
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
, schedule text not null default '', history integer not null default 0 check (history in (0, 1))) strict;
CREATE UNIQUE INDEX sources_current on sources (name) where retired_at is null;
CREATE TABLE readings (
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
CREATE INDEX readings_day on readings (source_id, day, started_at, id);
CREATE TABLE captures (
  id text primary key,
  media_type text not null,
  size integer not null,
  first_seen_at text not null,
  pruned_at text
) strict, without rowid;
CREATE TABLE exchanges (
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
CREATE INDEX exchanges_capture on exchanges (capture_id);
CREATE TABLE labels (
  id integer primary key,
  pattern text not null,
  match text not null check (match in ('exact', 'prefix', 'host', 'domain')),
  whose text not null check (whose in ('mine', 'about_me', 'namesake', 'unwanted', 'other')),
  origin text not null check (origin in ('config', 'command')),
  note text not null default '',
  added_at text not null, host text not null default '',
  unique (pattern, origin)
) strict;
CREATE TABLE urls (
  id integer primary key,
  url text not null unique,
  canonical text not null,
  host text not null,
  whose text not null default 'other' check (whose in ('mine', 'about_me', 'namesake', 'unwanted', 'other')),
  label_id integer references labels (id) on delete set null
) strict;
CREATE INDEX urls_host on urls (host);
CREATE INDEX urls_whose on urls (whose) where whose <> 'other';
CREATE TABLE texts (
  id integer primary key,
  title text not null,
  snippet text not null,
  shown_host text not null,
  unique (title, snippet, shown_host)
) strict;
CREATE VIRTUAL TABLE texts_fts using fts5 (
  title, snippet, content = 'texts', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER texts_ai after insert on texts
begin
  insert into texts_fts (rowid, title, snippet) values (new.id, new.title, new.snippet);
end;
CREATE TRIGGER texts_ad after delete on texts
begin
  insert into texts_fts (texts_fts, rowid, title, snippet) values ('delete', old.id, old.title, old.snippet);
end;
CREATE TABLE results (
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
CREATE INDEX results_url on results (url_id, reading_id, position);
CREATE TABLE paths (
  id integer primary key,
  path text not null unique
) strict;
CREATE TABLE page_views (
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
CREATE INDEX page_views_path on page_views (path_id, day);
CREATE TABLE site_views (
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
CREATE TABLE referrers (
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  referrer text not null,
  medium text not null,
  views integer not null check (views >= 0),
  reading_id integer not null references readings (id),
  primary key (source_id, day, referrer)
) strict, without rowid;
CREATE TABLE not_counted (
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  reason text not null,
  lines integer not null check (lines >= 0),
  reading_id integer not null references readings (id),
  primary key (source_id, day, reason)
) strict, without rowid;
CREATE TABLE log_files (
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
CREATE INDEX log_files_source on log_files (source_id);
CREATE TABLE log_gaps (
  id integer primary key,
  source_id integer not null references sources (id),
  log_file_id integer not null references log_files (id),
  at text not null,
  name text not null,
  "offset" integer not null,
  reading_id integer not null references readings (id),
  unique (log_file_id)
) strict;
CREATE TABLE contacts (
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
, verdict text not null default 'contact'
  check (verdict in ('contact', 'unsure')), trust text not null default 'typed'
  check (trust in ('verified', 'unverified', 'export', 'typed'))) strict;
CREATE INDEX contacts_day on contacts (day);
CREATE TABLE events (
  id integer primary key,
  day text not null check (day is date(day)),
  title text not null,
  url text not null default '',
  note text not null default '',
  reading_id integer not null references readings (id)
) strict;
CREATE TABLE hosts (
  host text primary key,
  next_at text,
  not_before text,
  blocked_in_row integer not null default 0,
  open_until text,
  month text not null default '',
  calls integer not null default 0,
  cost integer not null default 0
) strict, without rowid;
CREATE TABLE heartbeat (
  id integer primary key check (id = 1),
  pid integer not null,
  started_at text not null,
  beat_at text not null,
  note text not null default ''
) strict;
CREATE TABLE _monitor_views (text_hash text primary key) strict;
CREATE TABLE ctr_weights (
  name text not null,
  position integer not null check (position >= 1),
  weight real not null check (weight > 0),
  source text not null,
  primary key (name, position)
) strict, without rowid;
CREATE TABLE search_performance (
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  query text not null,
  page text not null,
  clicks integer not null check (clicks >= 0),
  impressions integer not null check (impressions >= 0),
  position real,
  final integer not null check (final in (0, 1)),
  reading_id integer not null references readings (id),
  primary key (source_id, day, query, page)
) strict, without rowid;
CREATE TABLE visitor_keys (
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  key blob not null,
  primary key (source_id, day)
) strict, without rowid;
CREATE TABLE visitor_hashes (
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  hash integer not null,
  primary key (source_id, day, hash)
) strict, without rowid;
CREATE TABLE path_totals (
  source_id integer not null references sources (id),
  path_id integer not null references paths (id),
  views integer not null,
  primary key (source_id, path_id)
) strict, without rowid;
CREATE TABLE referrer_totals (
  source_id integer not null references sources (id),
  referrer text not null,
  views integer not null,
  days integer not null,
  primary key (source_id, referrer)
) strict, without rowid;
CREATE TABLE medium_totals (
  month text not null,
  source_id integer not null references sources (id),
  medium text not null,
  views integer not null,
  "rows" integer not null,
  primary key (month, source_id, medium)
) strict, without rowid;
CREATE INDEX referrers_referrer on referrers (source_id, referrer, day);
CREATE INDEX site_views_day on site_views (day);
CREATE TABLE "counts" (
  source_id integer not null references sources (id),
  profile text not null,
  metric text not null,
  window text not null,
  day text not null check (day is date(day)),
  value any check (typeof(value) in ('integer', 'real', 'null')),
  state text not null check (state in ('read', 'missing', 'hidden', 'gone')),
  precision text not null check (precision in ('exact', 'rounded', 'at_least', 'at_most')),
  definition text not null,
  reading_id integer not null references readings (id),
  primary key (source_id, profile, metric, window, day),
  check ((value is null) = (state <> 'read'))
) strict, without rowid;
CREATE TABLE "revisions" (
  id integer primary key,
  table_name text not null,
  key text not null,
  day text not null,
  old any check (typeof(old) in ('integer', 'real', 'null')),
  new any check (typeof(new) in ('integer', 'real', 'null')),
  old_reading_id integer references readings (id),
  reading_id integer not null references readings (id)
) strict;
CREATE INDEX contacts_sender on contacts (sender_key, day) where sender_key is not null;
CREATE UNIQUE INDEX contacts_message on contacts (message_key) where message_key is not null;
CREATE TABLE contact_sightings (
  message_key text primary key,
  contact_id integer not null references contacts (id) on delete cascade,
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  reading_id integer not null references readings (id)
) strict, without rowid;
CREATE INDEX contact_sightings_contact on contact_sightings (contact_id);
CREATE TABLE corrections (
  about text primary key,
  verdict text not null check (verdict in ('inmail', 'request', 'message', 'mail', 'call', 'none')),
  origin text,
  added_at text not null
) strict, without rowid;
CREATE TABLE mails (
  message_key text primary key,
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  place text not null,
  verdict text not null
    check (verdict in ('contact', 'unsure', 'number', 'ignored', 'own', 'unknown', 'untrusted')),
  reason text not null,
  reading_id integer not null references readings (id)
) strict, without rowid;
CREATE INDEX mails_day on mails (source_id, day);
CREATE TABLE mail_folders (
  id integer primary key,
  source_id integer not null references sources (id),
  folder text not null,
  validity text not null,
  position integer not null,
  last_seen text not null,
  unique (source_id, folder)
) strict;
CREATE TABLE local_key (
  id integer primary key check (id = 1),
  mark text not null
) strict;
CREATE TABLE identifiers (
  id integer primary key,
  source_id integer not null references sources (id),
  kind text not null check (kind in ('phone', 'mail', 'address')),
  key text not null,
  masked text not null,
  added_at text not null,
  retired_at text,
  unique (source_id, key)
) strict;
CREATE TABLE exposure_pages (
  source_id integer not null references sources (id),
  url_id integer not null references urls (id),
  allowed integer not null check (allowed in (0, 1)),
  unasked text not null check (unasked in ('', 'linkedin', 'opaque_link')),
  primary key (source_id, url_id)
) strict, without rowid;
CREATE TABLE exposure_checks (
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
insert into "_sqlite_migrations" values (1, 'monitor', '001_tables', '2026-11-23 07:21:23.625080+00:00');
insert into "_sqlite_migrations" values (2, 'monitor', '002_schedule', '2026-11-23 07:44:52.828578+00:00');
insert into "_sqlite_migrations" values (3, 'monitor', '003_search', '2026-11-23 08:15:38.644076+00:00');
insert into "_sqlite_migrations" values (4, 'monitor', '004_visitors', '2026-11-23 08:31:25.474861+00:00');
insert into "_sqlite_migrations" values (5, 'monitor', '005_path_totals', '2026-11-23 09:11:25.752648+00:00');
insert into "_sqlite_migrations" values (6, 'monitor', '006_referrer_totals', '2026-11-23 09:54:46.267988+00:00');
insert into "_sqlite_migrations" values (7, 'monitor', '007_contacts', '2026-11-23 09:54:46.282243+00:00');
insert into "_sqlite_migrations" values (8, 'monitor', '008_exposure', '2026-11-23 10:10:16.775657+00:00');
insert into "owner" values ('Ada Example', 'Australia/Sydney', '');
insert into "sources" values (1, 'duckduckgo/ada-example', 'search', 'duckduckgo', 'duckduckgo', 'bing', 'Ada Example', 'wt-wt', '', 'Australia/Sydney', '{"subject": ""}', '2026-11-23T09:30:00Z', NULL, '', 0);
insert into "sources" values (2, 'access_log', 'page_views', 'access_log', '', '', '', '', '', 'log', '{"subject": "blog"}', '2026-11-23T09:30:00Z', NULL, '', 0);
insert into "sources" values (3, 'github/ada', 'profile', 'github', 'github', 'github', '', '', '', 'UTC', '{"subject": "ada"}', '2026-11-23T09:30:00Z', NULL, '', 0);
insert into "sources" values (4, 'by hand', 'typed', 'typed', '', '', '', '', '', 'Australia/Sydney', '{"subject": ""}', '2026-11-23T09:30:00Z', NULL, '', 0);
insert into "readings" values (1, 1, '2026-11-23T09:30:00Z', '2026-11-23', 1, 'schedule', NULL, '2026-11-23T09:30:00Z', '2026-11-23T09:30:00Z', 'ok', '', '', 1, 2, '28d3dd5c90d7a9bd', '');
insert into "readings" values (2, 1, '2026-11-24T09:30:00Z', '2026-11-24', 1, 'schedule', NULL, '2026-11-24T09:30:00Z', '2026-11-24T09:30:00Z', 'ok', '', '', 1, 2, 'd814c7de3d1d6284', '');
insert into "readings" values (3, 1, '2026-11-25T09:30:00Z', '2026-11-25', 1, 'schedule', NULL, '2026-11-25T09:30:00Z', '2026-11-25T09:30:00Z', 'ok', '', '', 1, 2, '5fb0e7b340b4d532', '');
insert into "readings" values (4, 1, '2026-11-26T09:30:00Z', '2026-11-26', 1, 'schedule', NULL, '2026-11-26T09:30:00Z', '2026-11-26T09:30:00Z', 'blocked', 'captcha', '', 1, NULL, NULL, '');
insert into "readings" values (5, 2, '2026-11-23T09:30:00Z', '2026-11-23', 1, 'schedule', NULL, '2026-11-23T09:30:00Z', '2026-11-23T09:30:00Z', 'ok', '', '', 1, 0, NULL, '');
insert into "readings" values (6, 2, '2026-11-23T10:30:00Z', '2026-11-23', 1, 'schedule', NULL, '2026-11-23T10:30:00Z', '2026-11-23T10:30:00Z', 'ok', '', '', 1, 0, NULL, '');
insert into "readings" values (7, 3, '2026-11-23T09:30:00Z', '2026-11-23', 1, 'schedule', NULL, '2026-11-23T09:30:00Z', '2026-11-23T09:30:00Z', 'ok', '', '', 1, NULL, NULL, '');
insert into "readings" values (8, 4, '2026-11-23T09:30:00Z', '2026-11-23', 1, 'typed', NULL, '2026-11-23T09:30:00Z', '2026-11-23T09:30:00Z', 'ok', '', '', 0, NULL, NULL, '');
insert into "readings" values (9, 4, '2026-11-23T09:30:00Z', '2026-11-23', 2, 'typed', NULL, '2026-11-23T09:30:00Z', '2026-11-23T09:30:00Z', 'ok', '', '', 0, NULL, NULL, '');
insert into "captures" values ('0621a1c111cfd4554a172d9ecd490a9a8d6e4e66e0f444491b716fb1d00ab1b9', 'text/html', 6, '2026-11-24T09:30:00Z', NULL);
insert into "captures" values ('3d914f9348c9cc0ff8a79716700b9fcd4d2f3e711608004eb8f138bcba7f14d9', 'text/html', 2, '2026-11-23T09:30:00Z', NULL);
insert into "captures" values ('73475cb40a568e8da8a045ced110137e159f890ac4da883b6b17dc651b3a8049', 'text/html', 2, '2026-11-23T10:30:00Z', NULL);
insert into "captures" values ('9390298f3fb0c5b160498935d79cb139aef28e1c47358b4bbba61862b9c26e59', 'text/html', 2, '2026-11-26T09:30:00Z', NULL);
insert into "captures" values ('98b8816d5a9f858675fcf86e0a700481b105e3ff7b700934c731b8ab667b1308', 'text/html', 6, '2026-11-23T09:30:00Z', NULL);
insert into "captures" values ('e49b3988b52f0294eefe8339cd73ed82847ff40c1dfcabbe2ef4da1875ab7f98', 'text/html', 6, '2026-11-25T09:30:00Z', NULL);
insert into "exchanges" values (1, 1, 'http://toy.example/search', 200, '{}', 'http://toy.example/search', 5, '98b8816d5a9f858675fcf86e0a700481b105e3ff7b700934c731b8ab667b1308');
insert into "exchanges" values (2, 1, 'http://toy.example/search', 200, '{}', 'http://toy.example/search', 5, '0621a1c111cfd4554a172d9ecd490a9a8d6e4e66e0f444491b716fb1d00ab1b9');
insert into "exchanges" values (3, 1, 'http://toy.example/search', 200, '{}', 'http://toy.example/search', 5, 'e49b3988b52f0294eefe8339cd73ed82847ff40c1dfcabbe2ef4da1875ab7f98');
insert into "exchanges" values (4, 1, 'http://toy.example/search', 200, '{}', 'http://toy.example/search', 5, '9390298f3fb0c5b160498935d79cb139aef28e1c47358b4bbba61862b9c26e59');
insert into "exchanges" values (5, 1, 'http://toy.example/search', 200, '{}', 'http://toy.example/search', 5, '3d914f9348c9cc0ff8a79716700b9fcd4d2f3e711608004eb8f138bcba7f14d9');
insert into "exchanges" values (6, 1, 'http://toy.example/search', 200, '{}', 'http://toy.example/search', 5, '73475cb40a568e8da8a045ced110137e159f890ac4da883b6b17dc651b3a8049');
insert into "labels" values (1, 'ada.example', 'host', 'mine', 'command', '', '2026-11-23T09:30:00Z', 'ada.example');
insert into "urls" values (1, 'http://x.example/', 'x.example', 'x.example', 'other', NULL);
insert into "urls" values (2, 'http://ada.example/0', 'ada.example/0', 'ada.example', 'mine', 1);
insert into "urls" values (3, 'http://shop.example/', 'shop.example', 'shop.example', 'other', NULL);
insert into "urls" values (4, 'http://ada.example/1', 'ada.example/1', 'ada.example', 'mine', 1);
insert into "urls" values (5, 'http://ada.example/2', 'ada.example/2', 'ada.example', 'mine', 1);
insert into "texts" values (1, 'Ada Example', '', '');
insert into "results" values (1, 0, 0, 'organic', 1, 1, 1, 1, 'exact');
insert into "results" values (1, 1, 0, 'organic', 2, 2, 2, 1, 'exact');
insert into "results" values (1, 2, 0, 'ad', NULL, 3, 3, 1, 'exact');
insert into "results" values (2, 0, 0, 'organic', 1, 1, 1, 1, 'exact');
insert into "results" values (2, 1, 0, 'organic', 2, 2, 4, 1, 'exact');
insert into "results" values (2, 2, 0, 'ad', NULL, 3, 3, 1, 'exact');
insert into "results" values (3, 0, 0, 'organic', 1, 1, 1, 1, 'exact');
insert into "results" values (3, 1, 0, 'organic', 2, 2, 5, 1, 'exact');
insert into "results" values (3, 2, 0, 'ad', NULL, 3, 3, 1, 'exact');
insert into "paths" values (1, '/post/');
insert into "page_views" values (3, '2026-11-23', 1, 5, NULL, '1', 0, 7);
insert into "site_views" values (3, '2026-11-23', 5, 3, 1, '1', 0, 7);
insert into "referrers" values (3, '2026-11-23', 'LinkedIn', 'social', 2, 7);
insert into "not_counted" values (3, '2026-11-23', 'crawler', 7, 7);
insert into "log_files" values (1, 3, 'access.log', 1, 2, 512, 3, 512, 10, 'aa', 'bb', 0, '2026-11-23T09:30:00Z', '2026-11-23T09:30:00Z');
insert into "contacts" values (1, NULL, '2026-11-23', 'call', 'old resume', 4, '', NULL, NULL, '', 'a remark', 8, 'contact', 'typed');
insert into "events" values (1, '2026-11-23', 'new job', 'http://ada.example/job', '', 9);
insert into "hosts" values ('duckduckgo.example', '2026-11-23T09:30:40.000Z', NULL, 0, NULL, '2026-11', 1, 0);
insert into "heartbeat" values (1, 30924, '2026-11-23T09:30:00Z', '2026-11-23T09:30:00Z', '');
insert into "ctr_weights" values ('backlinko-2019', 1, 31.73, 'Backlinko and ClickFlow, 2019: click rate by place in 5.08 million Google searches. Rates, not shares: they weigh.');
insert into "ctr_weights" values ('backlinko-2019', 2, 24.71, 'Backlinko and ClickFlow, 2019: click rate by place in 5.08 million Google searches. Rates, not shares: they weigh.');
insert into "ctr_weights" values ('backlinko-2019', 3, 18.66, 'Backlinko and ClickFlow, 2019: click rate by place in 5.08 million Google searches. Rates, not shares: they weigh.');
insert into "ctr_weights" values ('backlinko-2019', 4, 13.6, 'Backlinko and ClickFlow, 2019: click rate by place in 5.08 million Google searches. Rates, not shares: they weigh.');
insert into "ctr_weights" values ('backlinko-2019', 5, 9.51, 'Backlinko and ClickFlow, 2019: click rate by place in 5.08 million Google searches. Rates, not shares: they weigh.');
insert into "ctr_weights" values ('backlinko-2019', 6, 6.23, 'Backlinko and ClickFlow, 2019: click rate by place in 5.08 million Google searches. Rates, not shares: they weigh.');
insert into "ctr_weights" values ('backlinko-2019', 7, 4.15, 'Backlinko and ClickFlow, 2019: click rate by place in 5.08 million Google searches. Rates, not shares: they weigh.');
insert into "ctr_weights" values ('backlinko-2019', 8, 3.12, 'Backlinko and ClickFlow, 2019: click rate by place in 5.08 million Google searches. Rates, not shares: they weigh.');
insert into "ctr_weights" values ('backlinko-2019', 9, 2.97, 'Backlinko and ClickFlow, 2019: click rate by place in 5.08 million Google searches. Rates, not shares: they weigh.');
insert into "ctr_weights" values ('backlinko-2019', 10, 3.09, 'Backlinko and ClickFlow, 2019: click rate by place in 5.08 million Google searches. Rates, not shares: they weigh.');
insert into "path_totals" values (3, 1, 5);
insert into "referrer_totals" values (3, 'LinkedIn', 2, 1);
insert into "medium_totals" values ('2026-11', 3, 'social', 2, 1);
insert into "counts" values (2, 'github/ada', 'followers', 'now', '2026-11-23', 42, 'read', 'exact', '', 6);
insert into "revisions" values (1, 'counts', '2	github/ada	followers	now', '2026-11-23', 41, 42, 5, 6);
CREATE TRIGGER readings_append_only before update on readings
begin
  select raise(abort, 'readings are append-only');
end;
CREATE TRIGGER readings_kept before delete on readings when old."trigger" <> 'typed'
begin
  select raise(abort, 'readings are append-only');
end;
CREATE TRIGGER path_totals_insert after insert on page_views
begin
  insert into path_totals (source_id, path_id, views) values (new.source_id, new.path_id, new.views)
  on conflict (source_id, path_id) do update set views = path_totals.views + excluded.views;
end;
CREATE TRIGGER path_totals_update after update of views on page_views
begin
  update path_totals set views = views + new.views - old.views
  where source_id = new.source_id and path_id = new.path_id;
end;
CREATE TRIGGER path_totals_delete after delete on page_views
begin
  update path_totals set views = views - old.views
  where source_id = old.source_id and path_id = old.path_id;
end;
CREATE TRIGGER referrers_insert after insert on referrers
begin
  insert into referrer_totals (source_id, referrer, views, days) values (new.source_id, new.referrer, new.views, 1)
  on conflict (source_id, referrer) do update set
    views = referrer_totals.views + excluded.views, days = referrer_totals.days + 1;
  insert into medium_totals (month, source_id, medium, views, "rows")
  values (substr(new.day, 1, 7), new.source_id, new.medium, new.views, 1)
  on conflict (month, source_id, medium) do update set
    views = medium_totals.views + excluded.views, "rows" = medium_totals."rows" + 1;
end;
CREATE TRIGGER referrers_update after update of source_id, day, referrer, medium, views on referrers
begin
  insert into referrer_totals (source_id, referrer, views, days) values (new.source_id, new.referrer, new.views, 1)
  on conflict (source_id, referrer) do update set
    views = referrer_totals.views + excluded.views, days = referrer_totals.days + 1;
  insert into medium_totals (month, source_id, medium, views, "rows")
  values (substr(new.day, 1, 7), new.source_id, new.medium, new.views, 1)
  on conflict (month, source_id, medium) do update set
    views = medium_totals.views + excluded.views, "rows" = medium_totals."rows" + 1;
  update referrer_totals set views = views - old.views, days = days - 1
  where source_id = old.source_id and referrer = old.referrer;
  delete from referrer_totals where source_id = old.source_id and referrer = old.referrer and days = 0;
  update medium_totals set views = views - old.views, "rows" = "rows" - 1
  where month = substr(old.day, 1, 7) and source_id = old.source_id and medium = old.medium;
  delete from medium_totals
  where month = substr(old.day, 1, 7) and source_id = old.source_id and medium = old.medium and "rows" = 0;
end;
CREATE TRIGGER referrers_delete after delete on referrers
begin
  update referrer_totals set views = views - old.views, days = days - 1
  where source_id = old.source_id and referrer = old.referrer;
  delete from referrer_totals where source_id = old.source_id and referrer = old.referrer and days = 0;
  update medium_totals set views = views - old.views, "rows" = "rows" - 1
  where month = substr(old.day, 1, 7) and source_id = old.source_id and medium = old.medium;
  delete from medium_totals
  where month = substr(old.day, 1, 7) and source_id = old.source_id and medium = old.medium and "rows" = 0;
end;
