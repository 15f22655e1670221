create table item(id integer primary key, name text, price real, kind integer);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
insert into item select i, 'name' || (i * 7919 % 20011), i * 0.25, i % 17 from n;
create index by_kind on item(kind, price);
select kind, count(*), round(sum(price), 2), min(name) from item group by kind order by kind limit 5;
select a.name, b.name from item a join item b on b.id = a.id + 17 where a.kind = 3 order by a.name limit 3;
update item set price = price * 1.1 where kind in (1, 2, 3);
delete from item where id % 3 = 0;
select count(*), round(avg(price), 4), max(length(name)) from item;
select name, rank() over (partition by kind order by price desc) from item where kind < 2 order by kind, price desc limit 4;
select hex(substr(zeroblob(4) || 'x', 1, 6)), upper('abc'), 7 / 2, 7.0 / 2, typeof(1.0);
begin; delete from item; rollback;
select group_concat(id) from (select id from item order by id limit 10);
pragma integrity_check;
vacuum;
select json_extract('{"a": [1, 2, {"b": 3}]}', '$.a[2].b');
