create temp table t as select i as id, i * 7919 % 10007 as k, 'name-' || (i * 31 % 5003) as name, md5(i::text) as body from generate_series(1, 150000) i;
create index on t(k);
select count(*), sum(k), max(body) from t;
select name, count(*), string_agg(substr(body, 1, 2), '' order by id) from t where k < 300 group by name order by 2 desc, 1 limit 20;
select a.name, count(*) from t a join t b on a.k = b.k and a.id < b.id group by a.name order by 2 desc, 1 limit 10;
select md5(string_agg(j::text, '' order by id)) from (select id, jsonb_build_object('id', id, 'k', k, 'tags', array[name, body]) j from t limit 60000) x;
