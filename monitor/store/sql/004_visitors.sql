-- What tells the visitors of a day apart, until the day is closed: then both are deleted, and the count remains.
create table visitor_keys (
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  key blob not null,
  primary key (source_id, day)
) strict, without rowid;

create table visitor_hashes (
  source_id integer not null references sources (id),
  day text not null check (day is date(day)),
  hash integer not null,
  primary key (source_id, day, hash)
) strict, without rowid;
