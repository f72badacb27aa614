-- The public read model. Made anew whenever this text changes; every number here leads to a reading_id.

-- The reading that counts for a slot: the newest that can be trusted, else the newest.
create view slot_readings as
select r.*, 1 as choice from readings r where r.id not in (select reading_id from outdone_readings);

-- The reading that counts for a source's day: as slot_readings, and of two the later. counted_days says which.
create view day_readings as
select
  r.id,
  c.source_id,
  r.slot,
  c.day,
  r.attempt,
  r."trigger",
  r.reread_of,
  r.started_at,
  r.finished_at,
  r.outcome,
  r.reason,
  r.advice,
  r.parser,
  r.depth,
  r.results_hash,
  r.note,
  1 as choice
from counted_days c
join readings r on r.id = c.reading_id;

-- One row per source and day with a trustworthy results page. position is null: not within depth.
-- No row at all while no page is labelled mine: there is no rank of nobody. Nor where "not found" cannot be believed:
-- the control query failed, or an opaque link on the host of one of the owner's pages may be that page.
create view daily_ranks as
select
  d.day,
  s.engine,
  s.query,
  s.name as source,
  d.position,
  d.depth,
  u.url,
  d.mine,
  d.unwanted,
  d.source_id,
  d.reading_id
from rank_days d
join sources s on s.id = d.source_id
left join urls u on u.id = d.url_id
where (d.position is not null or d.believed) and exists (select 1 from labels where whose = 'mine');

-- Where each engine stands now: the newest trustworthy day of each current source.
create view current_ranks as
select r.*, 1 as choice
from sources s
join daily_ranks r on r.source_id = s.id
  and r.day = (
    select n.day from rank_days n
    where n.source_id = s.id and (n.position is not null or n.believed) order by n.day desc limit 1
  )
where s.retired_at is null;

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
from searches s
cross join counted_days c on c.source_id = s.id
  and c.day = (
    select n.day from counted_days n where n.source_id = s.id and n.trusted order by n.day desc limit 1
  )
cross join readings d on d.id = c.reading_id
cross join results r on r.reading_id = d.id
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

-- All of a path's views stand in path_totals, kept by triggers: adding up ten years at each look takes seconds.
create view top_paths as
select
  s.name as source,
  p.path,
  t.views,
  coalesce(recent.views, 0) as views_30_days,
  (
    select v.day from page_views v
    where v.path_id = t.path_id and v.source_id = t.source_id order by v.day limit 1
  ) as first_day,
  (
    select v.day from page_views v
    where v.path_id = t.path_id and v.source_id = t.source_id order by v.day desc limit 1
  ) as last_day,
  t.source_id
from path_totals t
join paths p on p.id = t.path_id
join sources s on s.id = t.source_id
left join (
  select v.source_id, v.path_id, sum(v.views) as views
  from (select source_id, max(day) as day from site_views group by source_id) last
  join page_views v on v.source_id = last.source_id and v.day > date(last.day, '-30 days')
  group by v.source_id, v.path_id
) recent on recent.source_id = t.source_id and recent.path_id = t.path_id
where t.views > 0 or recent.views is not null;

-- The same with referrer_totals; a medium is that of the newest day.
create view top_referrers as
select
  s.name as source,
  (
    select r.medium from referrers r
    where r.source_id = t.source_id and r.referrer = t.referrer order by r.day desc limit 1
  ) as medium,
  t.referrer,
  t.views,
  coalesce(recent.views, 0) as views_30_days,
  (select min(r.day) from referrers r where r.source_id = t.source_id and r.referrer = t.referrer) as first_day,
  (select max(r.day) from referrers r where r.source_id = t.source_id and r.referrer = t.referrer) as last_day,
  t.source_id
from referrer_totals t
join sources s on s.id = t.source_id
left join (
  select r.source_id, r.referrer, sum(r.views) as views
  from (select source_id, max(day) as day from site_views group by source_id) last
  join referrers r on r.source_id = last.source_id and r.day > date(last.day, '-30 days')
  group by r.source_id, r.referrer
) recent on recent.source_id = t.source_id and recent.referrer = t.referrer;

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
  case
    when r."trigger" = 'typed' then 'typed'
    when s.settings ->> 'way' <> '' then s.settings ->> 'way'
    when s.kind = 'any_number' then 'page'
    when s.kind = 'x_analytics' then 'export'
    when s.kind = 'linkedin_api' then 'api'
    when s.measure = 'contacts' then 'mail'
    else 'api'
  end as way,
  s.name as source,
  c.definition,
  c.source_id,
  c.reading_id
from counts c
join sources s on s.id = c.source_id
join readings r on r.id = c.reading_id;

-- Each contact that counts, as the owner corrected it. `first`: nobody with this key came before.
create view counted_contacts as
with said as (
  select
    c.*,
    coalesce(k.verdict, w.verdict, d.verdict, case c.verdict when 'contact' then c.kind else 'none' end) as kind_now,
    coalesce(k.origin, w.origin, d.origin, c.origin) as origin_now,
    coalesce(k.verdict, w.verdict, d.verdict) is not null as corrected
  from contacts c
  left join corrections k on k.about = 'contact:' || c.id
  left join corrections w on w.about = c.sender_key
  left join corrections d on c.sender_domain <> '' and d.about = 'domain:' || c.sender_domain
)
select
  c.day,
  c.at,
  c.kind_now as kind,
  c.origin_now as origin,
  case
    when c.sender_key is null then 1
    else row_number() over (partition by c.sender_key order by c.day, c.id) = 1
  end as first,
  c.sender_domain,
  c.sender_key,
  c.trust,
  c.reason,
  c.note,
  c.corrected,
  (select count(*) from contact_sightings x where x.contact_id = c.id) as sightings,
  s.name as source,
  c.id as contact_id,
  c.source_id,
  c.reading_id
from said c
join sources s on s.id = c.source_id
where c.kind_now <> 'none';

-- What may be a contact and waits for the owner's word: monitor correct ID mail, or none.
create view unsure_contacts as
select c.day, c.kind, c.origin, c.sender_domain, c.reason, s.name as source, c.id as contact_id, c.source_id, c.reading_id
from contacts c
join sources s on s.id = c.source_id
where c.verdict = 'unsure'
  and not exists (
    select 1 from corrections k
    where k.about in ('contact:' || c.id, c.sender_key, 'domain:' || nullif(c.sender_domain, ''))
  );

create view contacts_by_origin as
select
  substr(c.day, 1, 7) as month,
  c.origin,
  c.kind,
  count(*) as contacts,
  sum(c.first) as first_contacts,
  min(c.day) as first_day,
  max(c.day) as last_day
from counted_contacts c
group by 1, 2, 3;

-- Who came again and again: the same key three times or more.
create view persistent_senders as
select
  substr(c.sender_key, 1, 8) as sender,
  max(c.sender_domain) as sender_domain,
  max(c.origin) as origin,
  count(*) as contacts,
  min(c.day) as first_day,
  max(c.day) as last_day,
  max(c.contact_id) as contact_id
from counted_contacts c
where c.sender_key is not null
group by c.sender_key
having count(*) >= 3;

-- What of the contacts can be known: each mailbox, export or interface, from its first day to its last. A file that
-- was brought (an export, an mbox) tells of nothing after the newest that stands in it.
-- What only the owner can tell (a call) is known where it was typed, and nowhere else.
create view contact_coverage as
select
  s.name as source,
  m.first_day,
  case s.kind when 'mbox' then m.last_day else min(substr(f.last_seen, 1, 10)) end as last_day,
  s.id as source_id
from sources s
join mail_folders f on f.source_id = s.id
join (
  select source_id, min(day) as first_day, max(day) as last_day from mails group by source_id
) m on m.source_id = s.id
group by s.id
union all
select
  s.name,
  coalesce(x.first_day, min(r.day)),
  case s.kind when 'import' then x.last_day else max(r.day) end,
  s.id
from sources s
join readings r on r.source_id = s.id and r.outcome in ('ok', 'empty')
left join (
  select source_id, min(day) as first_day, max(day) as last_day from contact_sightings group by source_id
) x on x.source_id = s.id
where s.measure = 'contacts' and s.kind <> 'exposure'
  and not exists (select 1 from mail_folders f where f.source_id = s.id)
  and (s.kind <> 'import' or x.last_day is not null)
group by s.id;

-- Contacts week by week (Monday to Sunday), beside what was seen of the owner that week. contacts is null in a week
-- that no mailbox or export covers and in which nothing was typed: unknown is not zero.
create view contact_weeks as
with recursive span as (
  select
    min(day) as first, max(day) as last
  from (
    select first_day as day from contact_coverage union all select last_day from contact_coverage
    union all select day from counted_contacts
    union all select day from counts where profile = 'linkedin' and window = 'week'
  )
),
weeks as (
  select date(first, 'weekday 0', '-6 days') as week, last from span where first is not null
  union all
  select date(week, '+7 days'), last from weeks where date(week, '+7 days') <= last
),
came as (
  select
    date(day, 'weekday 0', '-6 days') as week,
    count(*) as contacts,
    sum(first) as first_contacts,
    sum(origin = 'linkedin') as from_linkedin,
    sum(origin = 'linkedin' and first) as first_from_linkedin
  from counted_contacts
  group by 1
),
sent as (
  select date(day, 'weekday 0', '-6 days') as week, sum(views) as views from from_linkedin group by 1
)
select
  w.week,
  k.read,
  case when k.read or c.week is not null then coalesce(c.contacts, 0) end as contacts,
  case when k.read or c.week is not null then coalesce(c.first_contacts, 0) end as first_contacts,
  case when k.read or c.week is not null then coalesce(c.from_linkedin, 0) end as from_linkedin,
  case when k.read or c.week is not null then coalesce(c.first_from_linkedin, 0) end as first_from_linkedin,
  a.search_appearances,
  a.profile_appearances,
  a.profile_views,
  s.views as blog_views_from_linkedin
from weeks w
join (
  select
    week,
    exists (
      select 1 from contact_coverage v where v.first_day <= date(week, '+6 days') and v.last_day >= date(week, '+6 days')
    ) as read
  from weeks
) k on k.week = w.week
left join came c on c.week = w.week
left join sent s on s.week = w.week
left join (
  select
    day as week,
    max(case when metric = 'search_appearances' then value end) as search_appearances,
    max(case when metric = 'profile_appearances' then value end) as profile_appearances,
    max(case when metric = 'profile_views' then value end) as profile_views
  from counts
  where profile = 'linkedin' and window = 'week'
  group by day
) a on a.week = w.week;

-- What became of the mails that were looked at, per month: a rising "unknown" is a rule that no longer fits.
create view mails_by_reason as
select
  substr(m.day, 1, 7) as month,
  s.name as source,
  m.verdict,
  m.reason,
  count(*) as mails,
  max(m.day) as last_day,
  m.source_id
from mails m
join sources s on s.id = m.source_id
group by m.source_id, 1, m.verdict, m.reason;

-- The days of each source without a trustworthy reading, and why.
create view gaps as
select c.day, s.name as source, d.outcome, d.reason, d.advice, c.source_id, c.reading_id
from counted_days c
join readings d on d.id = c.reading_id
join sources s on s.id = c.source_id
where c.trusted = 0
union all
select c.day, s.name, 'suspect', 'control_failed',
  s.engine || ' did not show ' || c.host || ', which it must, so "not found" is not believed that day.', d.source_id,
  d.reading_id
from controls c
join searches s on s.engine = c.engine
join counted_days d on d.source_id = s.id and d.day = c.day and d.trusted
where not c.found;

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
select c.day, 'contact', c.kind || ' from ' || c.origin, 1, null, c.reading_id from counted_contacts c;

-- The searches for the owner, without the control queries.
create view searches as
select * from sources where measure = 'search' and engine <> '' and settings ->> 'control' is null;

-- One row per control query and day that could be read: did the engine show the host that it must show?
create view controls as
select
  c.day,
  s.engine,
  s.settings ->> 'control' as host,
  c.reading_id in (select reading_id from controls_found) as found,
  c.source_id,
  c.reading_id
from counted_days c
join sources s on s.id = c.source_id and s.measure = 'search' and s.settings ->> 'control' is not null
where c.outcome in ('ok', 'empty', 'suspect');

-- Who held each place of page one, every day that was read.
create view page_one_history as
select
  d.day,
  s.engine,
  s.query,
  r.position,
  coalesce((select u.whose from urls u where u.id = r.url_id), 'other') as whose,
  (select u.url from urls u where u.id = r.url_id) as url,
  (select t.title from texts t where t.id = r.text_id) as title,
  s.name as source,
  d.source_id,
  r.url_id,
  d.reading_id
from rank_days d
join sources s on s.id = d.source_id
join results r on r.reading_id = d.reading_id and r.position <= 10
where d.outcome = 'ok';

-- How much of page one is the owner's, plain and weighted by how often each place is clicked.
create view page_one_share as
select
  d.day,
  s.engine,
  s.query,
  (select sum(whose = 'mine') from page_one_history where reading_id = d.reading_id) as mine,
  (select sum(whose = 'about_me') from page_one_history where reading_id = d.reading_id) as about_me,
  (select sum(whose = 'namesake') from page_one_history where reading_id = d.reading_id) as namesake,
  (select sum(whose = 'unwanted') from page_one_history where reading_id = d.reading_id) as unwanted,
  (select sum(whose = 'other') from page_one_history where reading_id = d.reading_id) as other,
  (select count(*) from page_one_history where reading_id = d.reading_id) as seen,
  (select round(1.0 * sum(whose = 'mine') / count(*), 4) from page_one_history where reading_id = d.reading_id) as share,
  (
    select round(coalesce(sum(case when h.whose = 'mine' then w.weight end), 0) / sum(w.weight), 4)
    from page_one_history h
    join ctr_weights w on w.name = 'backlinko-2019' and w.position = h.position
    where h.reading_id = d.reading_id
  ) as weighted_share,
  s.name as source,
  d.source_id,
  d.reading_id
from rank_days d
join sources s on s.id = d.source_id
where d.outcome = 'ok'
  and exists (select 1 from results r where r.reading_id = d.reading_id and r.position <= 10)
  and exists (select 1 from labels where whose = 'mine');

-- Every move of a rank between two days that were read, within what both saw. news: more than noise;
-- confirmed: the next day that was read says the same (null: no such day yet).
create view rank_changes as
select
  d.day,
  s.engine,
  s.query,
  b.position as before,
  d.position as after,
  b.day as before_day,
  d.depth,
  case
    when b.position is null or d.position is null then 1
    else abs(b.position - d.position) >= max(2, 0.2 * b.position)
  end as news,
  (
    select
      case
        when d.position is null or n.position is null then d.position is n.position
        else abs(n.position - d.position) < max(2, 0.2 * d.position)
      end
    from rank_days n
    where n.source_id = d.source_id and n.day > d.day and (n.position is not null or n.believed)
    order by n.day limit 1
  ) as confirmed,
  s.name as source,
  d.source_id,
  b.reading_id as before_reading_id,
  d.reading_id
from rank_days d
join sources s on s.id = d.source_id
join rank_days b on b.source_id = d.source_id and b.day = (
  select p.day from rank_days p
  where p.source_id = d.source_id and p.day < d.day and (p.position is not null or p.believed)
  order by p.day desc limit 1
)
where (d.position is not null or d.believed)
  and b.position is not d.position
  and (d.position is not null or b.position <= d.depth)
  and (b.position is not null or d.position <= b.depth)
  and exists (select 1 from labels where whose = 'mine');

-- Which pages came to page one and which left it, between two days that were read.
create view page_one_changes as
select
  m.day,
  s.engine,
  s.query,
  case when m.entered then 'entered' else 'left' end as what,
  m.position,
  u.whose,
  u.url,
  m.before_day,
  s.name as source,
  m.source_id,
  m.url_id,
  m.reading_id
from page_one_moves m
join sources s on s.id = m.source_id
join urls u on u.id = m.url_id;

-- Unwanted pages that rose on page one, between two days that were read.
create view unwanted_rising as
select m.day, s.engine, s.query, u.url, t.title, m.before, m.after, m.before_day, s.name as source, m.source_id, m.url_id,
  m.reading_id
from (
  select d.source_id, d.day, d.reading_id, r.url_id, r.position as after,
    lag(r.position) over seen as before,
    lag(d.day) over seen as before_day
  from urls o
  cross join results r on r.url_id = o.id and r.position <= 10
  cross join rank_days d on d.reading_id = r.reading_id and d.outcome = 'ok'
  where o.whose = 'unwanted'
  window seen as (partition by d.source_id, r.url_id order by d.day)
) m
join sources s on s.id = m.source_id
join urls u on u.id = m.url_id
join results r on r.reading_id = m.reading_id and r.position = m.after and r.position <= 10 and r.url_id = m.url_id
join texts t on t.id = r.text_id
where m.after < m.before;

-- Best ever, how many days, and the run of days at 1 that still stands (days not read neither add nor break).
create view rank_records as
select
  s.engine,
  s.query,
  r.best,
  (
    select b.day from rank_days b where b.source_id = r.source_id and b.position = r.best order by b.day limit 1
  ) as best_since,
  r.days_at_1,
  r.days_on_page_one,
  r.days_read,
  (
    select count(*) from rank_days n
    where n.source_id = r.source_id and n.position = 1 and n.day > coalesce((
      select o.day from rank_days o
      where o.source_id = r.source_id and o.position is not 1 and (o.position is not null or o.believed)
      order by o.day desc limit 1
    ), '')
  ) as days_at_1_in_a_row,
  r.first_day,
  r.last_day,
  s.name as source,
  r.source_id
from (
  select
    source_id,
    min(position) as best,
    sum(position = 1) as days_at_1,
    sum(position <= 10) as days_on_page_one,
    count(*) as days_read,
    min(day) as first_day,
    max(day) as last_day
  from rank_days
  where (position is not null or believed) and exists (select 1 from labels where whose = 'mine')
  group by source_id
) r
join sources s on s.id = r.source_id;

-- Firsts and round numbers, as the labels of today see them.
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

-- What the engines' own consoles say they showed: another series than a measured rank, and never merged with it.
create view shown_by_engine as
select p.day, s.provider as engine, p.query, p.page, p.clicks, p.impressions, round(p.position, 1) as mean_position, p.final,
  s.name as source, p.source_id, p.reading_id
from search_performance p
join sources s on s.id = p.source_id;

-- Page views per ISO week, one source a row. A day that was not counted adds nothing: days says how many were.
create view weekly_page_views as
select
  strftime('%Y', monday, '+3 days') || '-W' || printf('%02d', (strftime('%j', monday, '+3 days') + 6) / 7) as week,
  monday,
  source,
  site,
  sum(views) as views,
  case when count(visitors) = count(*) then sum(visitors) end as daily_visitors,
  count(*) as days,
  count(*) = 7 and min(complete) as complete,
  source_id
from (select *, date(day, 'weekday 0', '-6 days') as monday from daily_page_views)
group by source_id, monday;

-- Page views per month, one source a row. A day that was not counted adds nothing: days says how many were.
create view monthly_page_views as
select
  substr(day, 1, 7) as month,
  source,
  site,
  sum(views) as views,
  case when count(visitors) = count(*) then sum(visitors) end as daily_visitors,
  count(*) as days,
  count(*) = strftime('%d', min(day), 'start of month', '+1 month', '-1 day') + 0 and min(complete) as complete,
  source_id
from daily_page_views
group by source_id, substr(day, 1, 7);

-- The pages read more in the newest 28 complete days than in the 28 complete days before, the hundred largest rises of
-- each source. No row until there are 56 such days, nor where those days were counted by more than one rule.
create view page_risers as
select source, path, views, views_before, difference, first_day, last_day, before_first_day, source_id
from (
  select *, row_number() over (partition by source_id order by difference desc, path) as place
  from (
    select
      s.name as source,
      p.path,
      sum(case when v.day >= w.first_day then v.views else 0 end) as views,
      sum(case when v.day < w.first_day then v.views else 0 end) as views_before,
      sum(case when v.day >= w.first_day then v.views else -v.views end) as difference,
      w.first_day,
      w.last_day,
      w.before_first_day,
      w.source_id
    from (
      select
        source_id,
        max(day) as last_day,
        min(case when n <= 28 then day end) as first_day,
        min(day) as before_first_day
      from (
        select source_id, day, rule, row_number() over (partition by source_id order by day desc) as n
        from site_views
        where complete = 1
      )
      where n <= 56
      group by source_id
      having count(*) = 56 and min(rule) = max(rule)
    ) w
    join site_views d on d.source_id = w.source_id and d.complete = 1
      and d.day between w.before_first_day and w.last_day
    join page_views v on v.source_id = d.source_id and v.day = d.day
    join paths p on p.id = v.path_id
    join sources s on s.id = w.source_id
    group by w.source_id, v.path_id
  )
  where difference > 0
)
where place <= 100;

-- What kind of place sent readers, per month and source; days: on how many days of the month anything was told.
create view referrers_by_medium as
select
  m.month,
  s.name as source,
  m.medium,
  m.views,
  (
    select count(distinct r.day) from referrers r
    where r.source_id = m.source_id and r.day between m.month || '-01' and m.month || '-31'
  ) as days,
  m.source_id
from medium_totals m
join sources s on s.id = m.source_id;

-- The views that LinkedIn sent, per source and day: by its site, its short links, its app, or a campaign named after
-- it. 0 only on a day whose referrers are known (or that had no views at all); no row on any other.
create view from_linkedin as
with linkedin as not materialized (
  select * from referrers
  where referrer in ('linkedin.com', 'lnkd.in', 'com.linkedin.android', 'android-app://com.linkedin.android')
    or referrer like '%.linkedin.com'
    or (referrer like 'linkedin%' and instr(referrer, '.') = 0)
)
select
  v.day,
  s.name as source,
  coalesce((select sum(l.views) from linkedin l where l.source_id = v.source_id and l.day = v.day), 0) as views,
  v.views as all_views,
  v.complete,
  v.source_id,
  coalesce(
    (select max(l.reading_id) from linkedin l where l.source_id = v.source_id and l.day = v.day), v.reading_id
  ) as reading_id
from site_views v
join sources s on s.id = v.source_id
where v.views = 0 or exists (select 1 from referrers r where r.source_id = v.source_id and r.day = v.day);

-- What of the page views is not known: days between a source's first and last day of which there is no number, and
-- logs that were gone before they were read to their end.
create view page_view_gaps as
select
  s.name as source,
  'days' as what,
  date(v.day, '+1 day') as first_day,
  date(v.next_day, '-1 day') as last_day,
  cast(julianday(v.next_day) - julianday(v.day) as integer) - 1 as days,
  null as at,
  null as name,
  v.source_id,
  v.reading_id
from (
  select d.*, (select min(n.day) from site_views n where n.source_id = d.source_id and n.day > d.day) as next_day
  from site_views d
  where not exists (
    select 1 from site_views n where n.source_id = d.source_id and n.day = date(d.day, '+1 day')
  )
) v
join sources s on s.id = v.source_id
where v.next_day is not null
union all
select s.name, 'log', null, null, null, g.at, g.name || ', from byte ' || g."offset", g.source_id, g.reading_id
from log_gaps g
join sources s on s.id = g.source_id;

-- Where each of the owner's identifiers stands: a row for each page that was ever looked at for it. `state` is what the
-- looks that were truly read say together: one that could not be read changes nothing, and never makes a page clear.
create view exposures as
with spans as (
  select
    url_id,
    identifier_id,
    min(case verdict when 'found' then day end) as first_seen,
    max(case verdict when 'found' then day end) as last_seen,
    max(case verdict when 'found' then reading_id end) as found_reading_id,
    max(case when verdict <> 'could_not_read' then reading_id end) as read_reading_id,
    max(case verdict when 'not_found' then reading_id end) as clear_reading_id,
    max(reading_id) as reading_id
  from exposure_checks
  group by url_id, identifier_id
)
select
  i.masked as identifier,
  i.kind,
  u.url,
  u.host,
  u.whose,
  coalesce(p.allowed, 0) as allowed,
  case
    when x.read_reading_id is null then 'could_not_read'
    when x.found_reading_id is null and x.clear_reading_id is null then 'page_gone'
    when x.found_reading_id is null then 'not_found'
    when x.found_reading_id = x.read_reading_id then 'found'
    else 'gone'
  end as state,
  x.first_seen,
  x.last_seen,
  g.day as gone_day,
  g.verdict as gone_how,
  n.verdict,
  n.reason,
  r.finished_at as looked_at,
  f.place,
  f.sha256,
  p.url_id is not null as watched,
  s.name as source,
  x.identifier_id,
  x.url_id,
  i.source_id,
  x.found_reading_id,
  x.reading_id
from spans x
join identifiers i on i.id = x.identifier_id and i.retired_at is null
join sources s on s.id = i.source_id and s.retired_at is null
join urls u on u.id = x.url_id
join readings r on r.id = x.reading_id
join exposure_checks n on n.url_id = x.url_id and n.identifier_id = x.identifier_id and n.reading_id = x.reading_id
left join exposure_checks f
  on f.url_id = x.url_id and f.identifier_id = x.identifier_id and f.reading_id = x.found_reading_id
left join exposure_checks g on g.url_id = x.url_id and g.identifier_id = x.identifier_id and g.reading_id = (
  select min(l.reading_id) from exposure_checks l
  where l.url_id = x.url_id and l.identifier_id = x.identifier_id and l.reading_id > x.found_reading_id
    and l.verdict in ('not_found', 'page_gone')
)
left join exposure_pages p on p.url_id = x.url_id and p.source_id = i.source_id;

-- The pages of which nothing can be said now, and why: never clear. last_read is the day of the last look that was read.
create view exposure_gaps as
select * from (
  select
    u.url,
    u.host,
    case
      when p.unasked <> '' then p.unasked
      when l.looks < l.identifiers then 'not_looked_at'
      when n.verdict = 'could_not_read' then n.reason
    end as reason,
    l.last_read,
    r.finished_at as looked_at,
    p.allowed,
    s.name as source,
    p.url_id,
    p.source_id,
    n.reading_id
  from exposure_pages p
  join sources s on s.id = p.source_id and s.retired_at is null
  join urls u on u.id = p.url_id
  join (
    select
      q.source_id,
      q.url_id,
      count(distinct i.id) as identifiers,
      count(distinct c.identifier_id) as looks,
      max(case when c.verdict <> 'could_not_read' then c.day end) as last_read,
      max(c.reading_id) as reading_id
    from exposure_pages q
    left join identifiers i on i.source_id = q.source_id and i.retired_at is null
    left join exposure_checks c on c.url_id = q.url_id and c.identifier_id = i.id
    group by q.source_id, q.url_id
  ) l on l.source_id = p.source_id and l.url_id = p.url_id
  left join readings r on r.id = l.reading_id
  left join (
    select url_id, reading_id, max(verdict) as verdict, max(reason) as reason
    from exposure_checks where verdict = 'could_not_read' group by url_id, reading_id
  ) n on n.url_id = p.url_id and n.reading_id = l.reading_id
)
where reason is not null;
