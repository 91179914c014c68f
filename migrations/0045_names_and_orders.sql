-- A fiscal year is named after the calendar year in which it ends, or in which it starts: docs/decisions/0024.

-- How many years its name is ahead of the calendar year in which it starts. `mandate.fiscal_year_name` is `end` (also without it) or `start`.
create function fiscal_year_ahead() returns integer language sql stable parallel safe
return (fiscal_year_start() > 1 and coalesce(nullif(current_setting('mandate.fiscal_year_name', true), ''), 'end') <> 'start')::integer;

create or replace function fiscal_year(day date) returns integer language sql stable parallel safe
return extract(year from day - make_interval(months => fiscal_year_start() - 1))::integer + fiscal_year_ahead();

create or replace function fiscal_year_begin(year integer) returns date language sql stable parallel safe
return make_date(year - fiscal_year_ahead(), fiscal_year_start(), 1);

-- The words of a text in the first of its languages: what is shown where it has none of those of the service.
create function first_words(words jsonb) returns text language sql immutable parallel safe
return (select value from jsonb_each_text(words) order by key collate "C" limit 1);

-- All that writes an amount names its currency now (migration 0035).
drop function written(numeric, integer);
