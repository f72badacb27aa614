alter table labels add column host text not null default '';

create table ctr_weights (
  name text not null,
  position integer not null check (position >= 1),
  weight real not null check (weight > 0),
  source text not null,
  primary key (name, position)
) strict, without rowid;

insert into ctr_weights (name, position, weight, source)
select 'backlinko-2019', position, weight,
  'Backlinko and ClickFlow, 2019: click rate by place in 5.08 million Google searches. Rates, not shares: they weigh.'
from (
  select 1 as position, 31.73 as weight
  union all select 2, 24.71
  union all select 3, 18.66
  union all select 4, 13.60
  union all select 5, 9.51
  union all select 6, 6.23
  union all select 7, 4.15
  union all select 8, 3.12
  union all select 9, 2.97
  union all select 10, 3.09
);

create table search_performance (
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
