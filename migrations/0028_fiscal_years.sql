-- A fiscal year is named after the calendar year in which it ends, as deadlines have it: docs/decisions/0024. One that starts in January keeps
-- its name.

create or replace function fiscal_year(day date) returns integer language sql stable parallel safe
return extract(year from day - make_interval(months => fiscal_year_start() - 1))::integer + (fiscal_year_start() > 1)::integer;

-- The first day of a fiscal year.
create function fiscal_year_begin(year integer) returns date language sql stable parallel safe
return make_date(year - (fiscal_year_start() > 1)::integer, fiscal_year_start(), 1);

create or replace function fiscal_year_end(year integer) returns date language sql stable parallel safe
return (fiscal_year_begin(year) + interval '1 year' - interval '1 day')::date;
