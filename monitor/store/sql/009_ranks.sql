-- What the views would otherwise work out of the whole history at each look. Triggers keep it, in the transaction of
-- what they follow: readings, results, labels.

-- The reading that counts for a source's day: the newest that can be trusted, else the newest.
create table counted_days (
  source_id integer not null references sources (id),
  day text not null,
  reading_id integer not null references readings (id),
  outcome text not null,
  trusted integer not null check (trusted = (outcome in ('ok', 'empty'))),
  primary key (source_id, day)
) strict, without rowid;
create index counted_days_day on counted_days (day, source_id, reading_id, outcome);
create index counted_days_gaps on counted_days (day, source_id, reading_id) where trusted = 0;

-- The readings of a slot beside the one that counts for it: few.
create table outdone_readings (
  reading_id integer primary key references readings (id)
) strict;

-- The rank of each day with a trustworthy results page. believed: "not found" may be said of it.
create table rank_days (
  source_id integer not null references sources (id),
  day text not null,
  reading_id integer not null references readings (id),
  outcome text not null check (outcome in ('ok', 'empty')),
  depth integer,
  position integer,
  url_id integer references urls (id),
  mine integer not null,
  unwanted integer not null,
  believed integer not null check (believed in (0, 1)),
  primary key (source_id, day)
) strict, without rowid;
create index rank_days_day on rank_days (day, source_id, reading_id, outcome);
create index rank_days_reading on rank_days (reading_id, outcome);

-- The readings of control queries that showed the host which they must show.
create table controls_found (
  reading_id integer primary key references readings (id)
) strict;

-- What came to page one (entered 1) and what left it (0), against the last day before that was read.
create table page_one_moves (
  id integer primary key,
  source_id integer not null references sources (id),
  day text not null,
  before_day text not null,
  entered integer not null check (entered in (0, 1)),
  position integer not null,
  url_id integer not null references urls (id),
  reading_id integer not null references readings (id)
) strict;
create index page_one_moves_source on page_one_moves (source_id, day);
create index page_one_moves_day on page_one_moves (day);
create index page_one_moves_url on page_one_moves (url_id);

-- Whoever writes a row here has that day's rank worked out anew, at once: the row is gone when the statement ends.
create table rank_todo (
  source_id integer not null,
  day text not null,
  primary key (source_id, day)
) strict, without rowid;

create table page_one_todo (
  source_id integer not null,
  day text not null,
  primary key (source_id, day)
) strict, without rowid;

-- Whoever has written the results of a reading writes the reading here: its ranks follow, once for all of them.
create table results_todo (
  reading_id integer primary key
) strict;

-- Whoever has changed whose pages are writes all of them here: [[url_id, whose before, whose now], ...].
create table whose_todo (
  changed text not null
) strict;

create index results_page_one on results (reading_id, position, url_id, text_id) where position <= 10;
create index results_text on results (text_id, reading_id);
create index results_opaque on results (reading_id, url_id) where match_precision = 'host';
create index results_unplaced on results (url_id, reading_id) where kind = 'organic' and position is null;
create index counts_day on counts (day);
create index sources_engine on sources (engine) where measure = 'search';
create index readings_slot on readings (slot);
create index readings_came on readings (source_id, "trigger", outcome, day);

create trigger rank_todo_done after insert on rank_todo
begin
  delete from rank_days where source_id = new.source_id and day = new.day;
  insert into rank_days (source_id, day, reading_id, outcome, depth, position, url_id, mine, unwanted, believed)
  select
    source_id,
    day,
    reading_id,
    outcome,
    depth,
    position,
    case when position is not null then url_id end,
    mine,
    unwanted,
    not exists (
      select 1
      from sources k
      cross join counted_days kc
        on kc.source_id = k.id and kc.day = new.day and kc.outcome in ('ok', 'empty', 'suspect')
      where k.engine = best.engine and k.measure = 'search' and k.settings ->> 'control' is not null
        and not exists (select 1 from controls_found f where f.reading_id = kc.reading_id)
    )
    and not exists (
      select 1
      from results h indexed by results_opaque
      join urls hu on hu.id = h.url_id
      join labels l on l.whose = 'mine' and l.match in ('prefix', 'exact') and l.host = hu.host
      where h.reading_id = best.reading_id and h.match_precision = 'host'
    )
  from (
    select
      c.source_id,
      c.day,
      c.reading_id,
      c.outcome,
      r.depth,
      s.engine,
      min(case when u.whose = 'mine' then x.position end) as position,
      x.url_id, -- of the row with the least position: SQLite's rule for min()
      count(case when u.whose = 'mine' then 1 end) as mine,
      count(case when u.whose = 'unwanted' then 1 end) as unwanted
    from counted_days c
    join sources s on s.id = c.source_id
    join readings r on r.id = c.reading_id
    left join results x on x.reading_id = c.reading_id and x.kind = 'organic'
    left join urls u on u.id = x.url_id
    where c.source_id = new.source_id and c.day = new.day and c.trusted
      and s.measure = 'search' and s.engine <> '' and s.settings ->> 'control' is null
    group by c.source_id
  ) best;
  delete from rank_todo where source_id = new.source_id and day = new.day;
end;

create trigger page_one_todo_done after insert on page_one_todo
begin
  delete from page_one_moves where source_id = new.source_id and day = new.day;
  insert into page_one_moves (source_id, day, before_day, entered, position, url_id, reading_id)
  select c.source_id, c.day, b.day, 1, x.position, x.url_id, c.reading_id
  from counted_days c
  join counted_days b on b.source_id = c.source_id and b.day = (
    select max(day) from counted_days where source_id = new.source_id and day < new.day and outcome = 'ok'
  )
  join results x on x.reading_id = c.reading_id and x.position <= 10 and x.url_id is not null
  where c.source_id = new.source_id and c.day = new.day and c.outcome = 'ok'
    and not exists (
      select 1 from results o where o.url_id = x.url_id and o.reading_id = b.reading_id and o.position <= 10
    )
  union all
  select c.source_id, c.day, b.day, 0, x.position, x.url_id, c.reading_id
  from counted_days c
  join counted_days b on b.source_id = c.source_id and b.day = (
    select max(day) from counted_days where source_id = new.source_id and day < new.day and outcome = 'ok'
  )
  join results x on x.reading_id = b.reading_id and x.position <= 10 and x.url_id is not null
  where c.source_id = new.source_id and c.day = new.day and c.outcome = 'ok'
    and not exists (
      select 1 from results o where o.url_id = x.url_id and o.reading_id = c.reading_id and o.position <= 10
    );
  delete from page_one_todo where source_id = new.source_id and day = new.day;
end;

insert into counted_days (source_id, day, reading_id, outcome, trusted)
select source_id, day, id, outcome, outcome in ('ok', 'empty')
from (
  select *,
    row_number() over (
      partition by source_id, day order by outcome in ('ok', 'empty') desc, started_at desc, id desc
    ) as choice
  from readings
)
where choice = 1;

insert into outdone_readings (reading_id)
select id
from (
  select id,
    row_number() over (partition by source_id, slot order by outcome in ('ok', 'empty') desc, id desc) as choice
  from readings
)
where choice > 1;

insert into controls_found (reading_id)
select distinct x.reading_id
from sources s
join urls u on u.host = s.settings ->> 'control'
join results x on x.url_id = u.id
join readings r on r.id = x.reading_id and r.source_id = s.id;

insert into rank_todo (source_id, day)
select c.source_id, c.day
from counted_days c
join sources s on s.id = c.source_id and s.measure = 'search'
where c.trusted;

insert into page_one_todo (source_id, day)
select c.source_id, c.day
from counted_days c
join sources s on s.id = c.source_id and s.measure = 'search' and s.engine <> '' and s.settings ->> 'control' is null
where c.outcome = 'ok';

create trigger counted_days_reading after insert on readings
begin
  insert into counted_days (source_id, day, reading_id, outcome, trusted)
  values (new.source_id, new.day, new.id, new.outcome, new.outcome in ('ok', 'empty'))
  on conflict (source_id, day) do update set reading_id = excluded.reading_id, outcome = excluded.outcome,
    trusted = excluded.trusted
  where (excluded.trusted, new.started_at, new.id) > (
    counted_days.trusted,
    (select o.started_at from readings o where o.id = counted_days.reading_id),
    counted_days.reading_id
  );
end;

create trigger counted_days_undone after delete on readings
begin
  delete from counted_days where source_id = old.source_id and day = old.day and reading_id = old.id;
  insert into counted_days (source_id, day, reading_id, outcome, trusted)
  select source_id, day, id, outcome, outcome in ('ok', 'empty')
  from readings
  where source_id = old.source_id and day = old.day
    and not exists (select 1 from counted_days c where c.source_id = old.source_id and c.day = old.day)
  order by outcome in ('ok', 'empty') desc, started_at desc, id desc
  limit 1;
end;

create trigger outdone_readings_reading after insert on readings
when exists (select 1 from readings where source_id = new.source_id and slot = new.slot and id <> new.id)
begin
  delete from outdone_readings
  where reading_id in (select id from readings where source_id = new.source_id and slot = new.slot);
  insert into outdone_readings (reading_id)
  select id
  from (
    select id, row_number() over (order by outcome in ('ok', 'empty') desc, id desc) as choice
    from readings where source_id = new.source_id and slot = new.slot
  )
  where choice > 1;
end;

create trigger outdone_readings_undone after delete on readings
begin
  delete from outdone_readings
  where reading_id in (select id from readings where source_id = old.source_id and slot = old.slot)
    or reading_id = old.id;
  insert into outdone_readings (reading_id)
  select id
  from (
    select id, row_number() over (order by outcome in ('ok', 'empty') desc, id desc) as choice
    from readings where source_id = old.source_id and slot = old.slot
  )
  where choice > 1;
end;

-- Another reading counts: its rank, and where it is a control's, the ranks of its engine that day. Where its results
-- are still to come (their hash is there before they are), results_todo says so when they have.
create trigger rank_days_counted after insert on counted_days
when not exists (
  select 1 from readings r
  where r.id = new.reading_id and r.results_hash is not null
    and not exists (select 1 from results where reading_id = r.id)
)
begin
  insert into rank_todo (source_id, day)
  select s.id, new.day
  from sources o
  join sources s on s.id = o.id or (o.settings ->> 'control' is not null and s.engine = o.engine)
  where o.id = new.source_id and o.measure = 'search' and s.measure = 'search';
  insert into page_one_todo (source_id, day)
  select c.source_id, c.day
  from counted_days c
  join sources s on s.id = c.source_id
    and s.measure = 'search' and s.engine <> '' and s.settings ->> 'control' is null
  where c.source_id = new.source_id
    and c.day in (
      new.day,
      (select min(day) from counted_days where source_id = new.source_id and day > new.day and outcome = 'ok')
    );
end;

create trigger rank_days_counted_anew after update on counted_days
when not exists (
  select 1 from readings r
  where r.id = new.reading_id and r.results_hash is not null
    and not exists (select 1 from results where reading_id = r.id)
)
begin
  insert into rank_todo (source_id, day)
  select s.id, new.day
  from sources o
  join sources s on s.id = o.id or (o.settings ->> 'control' is not null and s.engine = o.engine)
  where o.id = new.source_id and o.measure = 'search' and s.measure = 'search';
  insert into page_one_todo (source_id, day)
  select c.source_id, c.day
  from counted_days c
  join sources s on s.id = c.source_id
    and s.measure = 'search' and s.engine <> '' and s.settings ->> 'control' is null
  where c.source_id = new.source_id
    and c.day in (
      new.day,
      (select min(day) from counted_days where source_id = new.source_id and day > new.day and outcome = 'ok')
    );
end;

-- All results of a reading are there. A control query that found what it must find is known by that.
create trigger results_todo_done after insert on results_todo
begin
  insert into controls_found (reading_id)
  select r.id
  from readings r
  join sources s on s.id = r.source_id and s.settings ->> 'control' is not null
  where r.id = new.reading_id and exists (
    select 1
    from results x
    cross join urls u on u.id = x.url_id
    where x.reading_id = r.id and u.host = s.settings ->> 'control'
  )
  on conflict (reading_id) do nothing;
  insert into rank_todo (source_id, day)
  select s.id, c.day
  from readings r
  join counted_days c on c.source_id = r.source_id and c.day = r.day and c.reading_id = r.id
  join sources o on o.id = r.source_id and o.measure = 'search'
  join sources s on s.id = o.id or (o.settings ->> 'control' is not null and s.engine = o.engine)
  where r.id = new.reading_id and s.measure = 'search';
  -- and a day that was read later, and was stored before this one, is compared with this one
  insert into page_one_todo (source_id, day)
  select n.source_id, n.day
  from readings r
  join counted_days c on c.source_id = r.source_id and c.day = r.day and c.reading_id = r.id
  join sources s on s.id = c.source_id
    and s.measure = 'search' and s.engine <> '' and s.settings ->> 'control' is null
  join counted_days n on n.source_id = c.source_id and n.day in (
    c.day,
    (select min(p.day) from counted_days p where p.source_id = c.source_id and p.day > c.day and p.outcome = 'ok')
  )
  where r.id = new.reading_id;
  delete from results_todo where reading_id = new.reading_id;
end;

-- Pages become the owner's, or unwanted ones, or are no longer: the past follows, for all of them at once. What only
-- adds up is added up; a rank is worked out anew where it was that of a page which is the owner's no more.
create trigger whose_todo_done after insert on whose_todo
begin
  update rank_days
  set
    mine = rank_days.mine + seen.mine,
    unwanted = rank_days.unwanted + seen.unwanted,
    url_id = case when seen.position < coalesce(rank_days.position, 1e9) then seen.url_id else rank_days.url_id end,
    position = case
      when seen.position < coalesce(rank_days.position, 1e9) then seen.position else rank_days.position
    end
  from (
    select
      reading_id,
      sum((now = 'mine') - (was = 'mine')) as mine,
      sum((now = 'unwanted') - (was = 'unwanted')) as unwanted,
      min(case when now = 'mine' then position end) as position,
      url_id -- of the row with the least position: SQLite's rule for min()
    from (
      -- a result with a position is an organic one: the index alone tells all of it
      select x.reading_id, x.url_id, x.position, c.was, c.now
      from (
        select value ->> 0 as url_id, value ->> 1 as was, value ->> 2 as now from json_each(new.changed) limit -1
      ) c
      cross join results x indexed by results_url on x.url_id = c.url_id
      where x.position is not null
      union all
      select x.reading_id, x.url_id, null, c.was, c.now
      from (
        select value ->> 0 as url_id, value ->> 1 as was, value ->> 2 as now from json_each(new.changed) limit -1
      ) c
      cross join results x on x.url_id = c.url_id
      where x.position is null and x.kind = 'organic'
    )
    group by reading_id
  ) seen
  where rank_days.reading_id = seen.reading_id;
  update rank_days
  set (position, url_id) = (
    select min(x.position), x.url_id
    from results x
    where x.reading_id = rank_days.reading_id and x.position is not null
      and +x.url_id in (select id from urls where whose = 'mine')
  )
  where url_id in (select c.value ->> 0 from json_each(new.changed) c where c.value ->> 1 = 'mine');
  delete from whose_todo;
end;

-- A label of a page makes every opaque link on its host doubtful, and its end takes the doubt away.
create trigger rank_days_label after insert on labels when new.whose = 'mine' and new.match in ('prefix', 'exact')
begin
  insert into rank_todo (source_id, day)
  select distinct r.source_id, r.day
  from readings r
  where r.id in (
    select x.reading_id
    from results x indexed by results_opaque
    where x.match_precision = 'host' and x.url_id in (select id from urls where host = new.host)
  );
end;

create trigger rank_days_label_changed after update on labels
when (old.whose, old.match, old.host) <> (new.whose, new.match, new.host)
  and ((old.whose = 'mine' and old.match in ('prefix', 'exact'))
    or (new.whose = 'mine' and new.match in ('prefix', 'exact')))
begin
  insert into rank_todo (source_id, day)
  select distinct r.source_id, r.day
  from readings r
  where r.id in (
    select x.reading_id
    from results x indexed by results_opaque
    where x.match_precision = 'host' and x.url_id in (select id from urls where host in (old.host, new.host))
  );
end;

create trigger rank_days_label_gone after delete on labels when old.whose = 'mine' and old.match in ('prefix', 'exact')
begin
  insert into rank_todo (source_id, day)
  select distinct r.source_id, r.day
  from readings r
  where r.id in (
    select x.reading_id
    from results x indexed by results_opaque
    where x.match_precision = 'host' and x.url_id in (select id from urls where host = old.host)
  );
end;
