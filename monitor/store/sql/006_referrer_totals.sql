-- days: on how many days it stands; a total of no day goes.
create table referrer_totals (
  source_id integer not null references sources (id),
  referrer text not null,
  views integer not null,
  days integer not null,
  primary key (source_id, referrer)
) strict, without rowid;

-- "rows": how many rows of referrers it adds up. The month comes first, so that the newest are found at once.
create table medium_totals (
  month text not null,
  source_id integer not null references sources (id),
  medium text not null,
  views integer not null,
  "rows" integer not null,
  primary key (month, source_id, medium)
) strict, without rowid;

insert into referrer_totals (source_id, referrer, views, days)
select source_id, referrer, sum(views), count(*) from referrers group by source_id, referrer;

insert into medium_totals (month, source_id, medium, views, "rows")
select substr(day, 1, 7), source_id, medium, sum(views), count(*) from referrers group by 1, 2, 3;

create trigger referrers_insert after insert on referrers
begin
  insert into referrer_totals (source_id, referrer, views, days) values (new.source_id, new.referrer, new.views, 1)
  on conflict (source_id, referrer) do update set
    views = referrer_totals.views + excluded.views, days = referrer_totals.days + 1;
  insert into medium_totals (month, source_id, medium, views, "rows")
  values (substr(new.day, 1, 7), new.source_id, new.medium, new.views, 1)
  on conflict (month, source_id, medium) do update set
    views = medium_totals.views + excluded.views, "rows" = medium_totals."rows" + 1;
end;

create trigger referrers_update after update of source_id, day, referrer, medium, views on referrers
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

create trigger referrers_delete after delete on referrers
begin
  update referrer_totals set views = views - old.views, days = days - 1
  where source_id = old.source_id and referrer = old.referrer;
  delete from referrer_totals where source_id = old.source_id and referrer = old.referrer and days = 0;
  update medium_totals set views = views - old.views, "rows" = "rows" - 1
  where month = substr(old.day, 1, 7) and source_id = old.source_id and medium = old.medium;
  delete from medium_totals
  where month = substr(old.day, 1, 7) and source_id = old.source_id and medium = old.medium and "rows" = 0;
end;

create index referrers_referrer on referrers (source_id, referrer, day);
create index site_views_day on site_views (day);
