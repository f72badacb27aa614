-- Numbers may have decimals, and `at_most`; contacts come by mail and export, told apart by keyed hashes.
create table counts_new (
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
insert into counts_new select * from counts;
drop table counts;
alter table counts_new rename to counts;

create table revisions_new (
  id integer primary key,
  table_name text not null,
  key text not null,
  day text not null,
  old any check (typeof(old) in ('integer', 'real', 'null')),
  new any check (typeof(new) in ('integer', 'real', 'null')),
  old_reading_id integer references readings (id),
  reading_id integer not null references readings (id)
) strict;
insert into revisions_new select * from revisions;
drop table revisions;
alter table revisions_new rename to revisions;

alter table contacts add column verdict text not null default 'contact'
  check (verdict in ('contact', 'unsure'));
alter table contacts add column trust text not null default 'typed'
  check (trust in ('verified', 'unverified', 'export', 'typed'));
create index contacts_sender on contacts (sender_key, day) where sender_key is not null;
create unique index contacts_message on contacts (message_key) where message_key is not null;

-- The same approach seen again elsewhere: in another folder, in an export.
create table contact_sightings (
  message_key text primary key,
  contact_id integer not null references contacts (id) on delete cascade,
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  reading_id integer not null references readings (id)
) strict, without rowid;
create index contact_sightings_contact on contact_sightings (contact_id);

-- What the owner said of a sender (the key), a whole domain ("domain:example.org") or one contact ("contact:12").
create table corrections (
  about text primary key,
  verdict text not null check (verdict in ('inmail', 'request', 'message', 'mail', 'call', 'none')),
  origin text,
  added_at text not null
) strict, without rowid;

-- Each mail that was looked at, once, wherever it lies: what became of it and where it stands.
create table mails (
  message_key text primary key,
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  place text not null,
  verdict text not null
    check (verdict in ('contact', 'unsure', 'number', 'ignored', 'own', 'unknown', 'untrusted')),
  reason text not null,
  reading_id integer not null references readings (id)
) strict, without rowid;
create index mails_day on mails (source_id, day);

-- How far each folder of a mailbox has been read.
create table mail_folders (
  id integer primary key,
  source_id integer not null references sources (id),
  folder text not null,
  validity text not null,
  position integer not null,
  last_seen text not null,
  unique (source_id, folder)
) strict;

-- One row: a keyed hash of a fixed word, by which a lost or exchanged local key is noticed.
create table local_key (
  id integer primary key check (id = 1),
  mark text not null
) strict;
