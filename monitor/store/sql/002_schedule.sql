-- When each source is asked, and which config file said so: whoever reads the history needs no config for it.
alter table sources add column schedule text not null default '';
alter table sources add column history integer not null default 0 check (history in (0, 1));
alter table owner add column config text not null default '';
