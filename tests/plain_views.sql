-- The views of ranks, results and readings as plain queries over the whole history: what tests/test_rollups.py holds
-- the real ones against.

create view slot_readings as
select * from (
  select r.*,
    row_number() over (partition by source_id, slot order by outcome in ('ok', 'empty') desc, id desc) as choice
  from readings r
) where choice = 1;

create view day_readings as
select * from (
  select r.*,
    row_number() over (
      partition by source_id, day order by outcome in ('ok', 'empty') desc, started_at desc, id desc
    ) as choice
  from readings r
) where choice = 1;

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
join searches s on s.id = d.source_id
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
  and exists (select 1 from labels where whose = 'mine')
  and (
    best.position is not null
    or not (
      exists (select 1 from controls c where c.engine = s.engine and c.day = d.day and not c.found)
      or exists (
        select 1
        from results h
        join urls hu on hu.id = h.url_id
        join labels l on l.whose = 'mine' and l.match in ('prefix', 'exact') and l.host = hu.host
        where h.reading_id = d.id and h.match_precision = 'host'
      )
    )
  );

create view current_ranks as
select * from (
  select r.*, row_number() over (partition by r.source_id order by r.day desc) as choice
  from daily_ranks r
  join sources s on s.id = r.source_id and s.retired_at is null
) where choice = 1;

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
from searches s
join day_readings d on d.source_id = s.id
  and d.day = (
    select max(n.day) from readings n where n.source_id = s.id and n.outcome in ('ok', 'empty')
  )
join results r on r.reading_id = d.id
left join urls u on u.id = r.url_id
join texts t on t.id = r.text_id
where s.retired_at is null;

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

create view gaps as
select d.day, s.name as source, d.outcome, d.reason, d.advice, d.source_id, d.id as reading_id
from day_readings d
join sources s on s.id = d.source_id
where d.outcome not in ('ok', 'empty')
union all
select d.day, s.name, 'suspect', 'control_failed',
  s.engine || ' did not show ' || c.host || ', which it must, so "not found" is not believed that day.', d.source_id, d.id
from controls c
join searches s on s.engine = c.engine
join day_readings d on d.source_id = s.id and d.day = c.day and d.outcome in ('ok', 'empty')
where not c.found;

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

create view searches as
select * from sources where measure = 'search' and engine <> '' and settings ->> 'control' is null;

create view controls as
select
  d.day,
  s.engine,
  s.settings ->> 'control' as host,
  exists (
    select 1 from results r join urls u on u.id = r.url_id
    where r.reading_id = d.id and u.host = s.settings ->> 'control'
  ) as found,
  s.id as source_id,
  d.id as reading_id
from day_readings d
join sources s on s.id = d.source_id and s.measure = 'search' and s.settings ->> 'control' is not null
where d.outcome in ('ok', 'empty', 'suspect');

create view page_one_history as
select
  d.day,
  s.engine,
  s.query,
  r.position,
  coalesce(u.whose, 'other') as whose,
  u.url,
  t.title,
  s.name as source,
  s.id as source_id,
  r.url_id,
  d.id as reading_id
from day_readings d
join searches s on s.id = d.source_id
join results r on r.reading_id = d.id and r.position <= 10
left join urls u on u.id = r.url_id
join texts t on t.id = r.text_id
where d.outcome = 'ok';

create view page_one_share as
select
  h.day,
  h.engine,
  h.query,
  sum(h.whose = 'mine') as mine,
  sum(h.whose = 'about_me') as about_me,
  sum(h.whose = 'namesake') as namesake,
  sum(h.whose = 'unwanted') as unwanted,
  sum(h.whose = 'other') as other,
  count(*) as seen,
  round(1.0 * sum(h.whose = 'mine') / count(*), 4) as share,
  round(coalesce(sum(case when h.whose = 'mine' then w.weight end), 0) / sum(w.weight), 4) as weighted_share,
  h.source,
  h.source_id,
  h.reading_id
from page_one_history h
join ctr_weights w on w.name = 'backlinko-2019' and w.position = h.position
where exists (select 1 from labels where whose = 'mine')
group by h.reading_id;

create view rank_changes as
select
  day,
  engine,
  query,
  before,
  after,
  before_day,
  depth,
  case
    when before is null or after is null then 1
    else abs(before - after) >= max(2, 0.2 * before)
  end as news,
  case
    when next_day is null then null
    when after is null or next is null then after is next
    else abs(next - after) < max(2, 0.2 * after)
  end as confirmed,
  source,
  source_id,
  before_reading_id,
  reading_id
from (
  select
    day, engine, query, source, source_id, reading_id, depth,
    position as after,
    lag(position) over series as before,
    lag(day) over series as before_day,
    lag(depth) over series as before_depth,
    lag(reading_id) over series as before_reading_id,
    lead(position) over series as next,
    lead(day) over series as next_day
  from daily_ranks
  window series as (partition by source_id order by day)
)
where before_day is not null
  and before is not after
  and (after is not null or before <= depth)
  and (before is not null or after <= before_depth);

create view page_one_changes as
with pages as (
  select
    d.id as reading_id,
    d.day,
    d.source_id,
    lag(d.id) over (partition by d.source_id order by d.day) as before_id,
    lag(d.day) over (partition by d.source_id order by d.day) as before_day
  from day_readings d
  join searches s on s.id = d.source_id
  where d.outcome = 'ok'
)
select p.day, s.engine, s.query, 'entered' as what, r.position, u.whose, u.url, p.before_day, s.name as source,
  s.id as source_id, r.url_id, p.reading_id
from pages p
join searches s on s.id = p.source_id
join results r on r.reading_id = p.reading_id and r.position <= 10
join urls u on u.id = r.url_id
where p.before_id is not null
  and not exists (
    select 1 from results o where o.url_id = r.url_id and o.reading_id = p.before_id and o.position <= 10
  )
union all
select p.day, s.engine, s.query, 'left', r.position, u.whose, u.url, p.before_day, s.name,
  s.id, r.url_id, p.reading_id
from pages p
join searches s on s.id = p.source_id
join results r on r.reading_id = p.before_id and r.position <= 10
join urls u on u.id = r.url_id
where not exists (
    select 1 from results o where o.url_id = r.url_id and o.reading_id = p.reading_id and o.position <= 10
  );

create view unwanted_rising as
select day, engine, query, url, title, before, after, before_day, source, source_id, url_id, reading_id
from (
  select h.day, h.engine, h.query, h.url, h.title, h.source, h.source_id, h.url_id, h.reading_id,
    h.position as after,
    lag(h.position) over seen as before,
    lag(h.day) over seen as before_day
  from page_one_history h
  where h.whose = 'unwanted'
  window seen as (partition by h.source_id, h.url_id order by h.day)
)
where after < before;

create view rank_records as
select
  r.engine,
  r.query,
  min(r.position) as best,
  (select min(b.day) from daily_ranks b where b.source_id = r.source_id and b.position = min(r.position)) as best_since,
  sum(r.position = 1) as days_at_1,
  sum(r.position <= 10) as days_on_page_one,
  count(*) as days_read,
  sum(r.day > coalesce(last.day, '')) as days_at_1_in_a_row,
  min(r.day) as first_day,
  max(r.day) as last_day,
  r.source,
  r.source_id
from daily_ranks r
left join (
  select source_id, max(day) as day from daily_ranks where position is not 1 group by source_id
) last on last.source_id = r.source_id
group by r.source_id;

create view milestones as
select min(day) as day, engine, query, 'first time on page one' as milestone, source, source_id,
  min(reading_id) as reading_id
from daily_ranks where position <= 10 group by source_id
union all
select min(day), engine, query, 'first time number 1', source, source_id, min(reading_id)
from daily_ranks where position = 1 group by source_id
union all
select day, engine, query, n || ' days at number 1', source, source_id, reading_id
from (
  select *, row_number() over (partition by source_id order by day) as n from daily_ranks where position = 1
)
where n in (7, 30, 100, 365, 1000);
