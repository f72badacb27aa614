create table path_totals (
  source_id integer not null references sources (id),
  path_id integer not null references paths (id),
  views integer not null,
  primary key (source_id, path_id)
) strict, without rowid;

insert into path_totals (source_id, path_id, views)
select source_id, path_id, sum(views) from page_views group by source_id, path_id;

create trigger path_totals_insert after insert on page_views
begin
  insert into path_totals (source_id, path_id, views) values (new.source_id, new.path_id, new.views)
  on conflict (source_id, path_id) do update set views = path_totals.views + excluded.views;
end;

create trigger path_totals_update after update of views on page_views
begin
  update path_totals set views = views + new.views - old.views
  where source_id = new.source_id and path_id = new.path_id;
end;

create trigger path_totals_delete after delete on page_views
begin
  update path_totals set views = views - old.views
  where source_id = old.source_id and path_id = old.path_id;
end;
