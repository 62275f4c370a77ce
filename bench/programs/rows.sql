-- For sqlite3, in memory.
pragma cache_size = -64000;
create table t(id integer primary key, k int, name text, body text);
with recursive c(i) as (select 1 union all select i + 1 from c where i < 200000)
insert into t select i, i * 7919 % 10007, 'name-' || (i * 31 % 5003), substr('0123456789abcdefghijklmnopqrstuvwxyz', i % 20, i % 15) || i from c;
create index by_k on t(k);
create index by_name on t(name, k);
select count(*), sum(k), max(body) from t;
select name, count(*), group_concat(substr(body, 1, 2)) from t where k < 300 group by name order by 2 desc, 1 limit 20;
update t set body = body || '-' || k where k % 3 = 0;
delete from t where k % 5 = 1;
select a.name, count(*) from t a join t b on a.k = b.k and a.id < b.id group by a.name order by 2 desc, 1 limit 10;
select sum(length(body)) from t;
