-- The public read model. Made anew whenever this text changes; every number here leads to a reading_id.

-- The reading that counts for a slot: the newest that can be trusted, else the newest.
create view slot_readings as
select * from (
  select r.*,
    row_number() over (partition by source_id, slot order by outcome in ('ok', 'empty') desc, id desc) as choice
  from readings r
) where choice = 1;

-- The reading that counts for a source's day.
create view day_readings as
select * from (
  select r.*,
    row_number() over (
      partition by source_id, day order by outcome in ('ok', 'empty') desc, started_at desc, id desc
    ) as choice
  from readings r
) where choice = 1;

-- One row per source and day with a trustworthy results page. position is null: not within depth.
-- No row at all while no page is labelled mine: there is no rank of nobody.
create view daily_ranks as
select
  d.day,
  s.engine,
  s.query,
  s.name as source,
  best.position,
  d.depth,
  u.url,
  coalesce(best.mine, 0) as mine,
  coalesce(best.unwanted, 0) as unwanted,
  s.id as source_id,
  d.id as reading_id
from day_readings d
join sources s on s.id = d.source_id and s.measure = 'search'
left join (
  select
    x.reading_id,
    min(case when o.whose = 'mine' then x.position end) as position,
    sum(o.whose = 'mine') as mine,
    sum(o.whose = 'unwanted') as unwanted
  from urls o
  join results x on x.url_id = o.id and x.kind = 'organic'
  where o.whose in ('mine', 'unwanted')
  group by x.reading_id
) best on best.reading_id = d.id
left join results r on r.reading_id = d.id and r.position = best.position and r.kind = 'organic'
left join urls u on u.id = r.url_id
where d.outcome in ('ok', 'empty')
  and exists (select 1 from labels where whose = 'mine');

-- Where each engine stands now: the newest trustworthy day of each current source.
create view current_ranks as
select * from (
  select r.*, row_number() over (partition by r.source_id order by r.day desc) as choice
  from daily_ranks r
  join sources s on s.id = r.source_id and s.retired_at is null
) where choice = 1;

-- Every result of the newest trustworthy results page of each current source.
create view page_one as
select
  s.engine,
  s.query,
  d.day,
  r.position,
  r.kind,
  u.whose,
  u.url,
  t.title,
  u.host,
  d.depth,
  u.label_id is not null as labelled,
  s.name as source,
  s.id as source_id,
  r.url_id,
  r.reading_id
from sources s
join day_readings d on d.source_id = s.id
  and d.day = (
    select max(n.day) from readings n where n.source_id = s.id and n.outcome in ('ok', 'empty')
  )
join results r on r.reading_id = d.id
left join urls u on u.id = r.url_id
join texts t on t.id = r.text_id
where s.measure = 'search' and s.retired_at is null;

create view daily_page_views as
select
  v.day,
  s.name as source,
  s.settings ->> 'subject' as site,
  v.views,
  v.visitors,
  v.feed_views,
  v.complete,
  v.rule,
  v.source_id,
  v.reading_id
from site_views v
join sources s on s.id = v.source_id;

create view top_paths as
select
  s.name as source,
  p.path,
  sum(v.views) as views,
  sum(case when v.day > date(last.day, '-30 days') then v.views else 0 end) as views_30_days,
  min(v.day) as first_day,
  max(v.day) as last_day,
  v.source_id
from page_views v
join (select source_id, max(day) as day from site_views group by source_id) last using (source_id)
join paths p on p.id = v.path_id
join sources s on s.id = v.source_id
group by v.source_id, v.path_id;

create view top_referrers as
select
  s.name as source,
  r.medium,
  r.referrer,
  sum(r.views) as views,
  sum(case when r.day > date(last.day, '-30 days') then r.views else 0 end) as views_30_days,
  min(r.day) as first_day,
  max(r.day) as last_day,
  r.source_id
from referrers r
join (select source_id, max(day) as day from site_views group by source_id) last using (source_id)
join sources s on s.id = r.source_id
group by r.source_id, r.referrer;

-- Every number about a profile, with the way it came.
create view profile_counts as
select
  c.day,
  c.profile,
  c.metric,
  c.window,
  c.value,
  c.state,
  c.precision,
  r."trigger" = 'typed' as typed,
  s.name as source,
  c.definition,
  c.source_id,
  c.reading_id
from counts c
join sources s on s.id = c.source_id
join readings r on r.id = c.reading_id;

create view contacts_by_origin as
select
  substr(c.day, 1, 7) as month,
  c.origin,
  c.kind,
  count(*) as contacts,
  min(c.day) as first_day,
  max(c.day) as last_day
from contacts c
group by 1, 2, 3;

-- The days of each source without a trustworthy reading, and why.
create view gaps as
select d.day, s.name as source, d.outcome, d.reason, d.advice, d.source_id, d.id as reading_id
from day_readings d
join sources s on s.id = d.source_id
where d.outcome not in ('ok', 'empty');

-- How each current source is doing: its newest reading, its newest trustworthy one, and its last 30 days.
create view source_health as
select
  s.name as source,
  s.measure,
  s.kind,
  s.engine,
  s.query,
  n.outcome,
  n.reason,
  n.advice,
  n.finished_at as last_asked_at,
  g.finished_at as last_good_at,
  (
    select count(distinct r.day) from readings r
    where r.source_id = s.id and r.outcome in ('ok', 'empty') and r.day > date(n.day, '-30 days')
  ) as good_days_of_30,
  s.added_at,
  s.id as source_id,
  n.id as reading_id,
  g.id as good_reading_id,
  s.schedule,
  (
    select count(distinct r.day) from readings r where r.source_id = s.id and r.day > date(n.day, '-30 days')
  ) - (
    select count(distinct r.day) from readings r
    where r.source_id = s.id and r.outcome in ('ok', 'empty') and r.day > date(n.day, '-30 days')
  ) as gap_days_of_30
from sources s
left join readings n on n.id = (
  select r.id from readings r where r.source_id = s.id and r."trigger" <> 'reread'
  order by r.day desc, r.started_at desc, r.id desc limit 1
)
left join readings g on g.id = (
  select r.id from readings r where r.source_id = s.id and r.outcome in ('ok', 'empty')
  order by r.day desc, r.started_at desc, r.id desc limit 1
)
where s.retired_at is null and s.measure <> 'typed';

-- Everything dated on one axis: events by hand, ranks, page views, profile numbers, contacts.
create view timeline as
select e.day, 'event' as what, e.title as who, null as value, e.url, e.reading_id from events e
union all
select d.day, 'rank', d.engine || ': ' || d.query, d.position, d.url, d.reading_id from daily_ranks d
union all
select v.day, 'page views', v.source, v.views, null, v.reading_id from daily_page_views v
union all
select c.day, 'profile', c.profile || ' ' || c.metric || ' (' || c.window || ')', c.value, null, c.reading_id
from counts c
union all
select c.day, 'contact', c.kind || ' from ' || c.origin, 1, null, c.reading_id from contacts c;
