-- Which day it is.

-- Today in the time zone of the service: each of its connections has it in the setting `mandate.timezone`; without one it is UTC. Everything
-- that asks for the day asks here, so that a reading in the past can answer with a day of its own. It changes with the session, so no index
-- and no generated column may use it. Write `(select today())` where many rows are compared with it: it is then evaluated once.
create function today() returns date language sql stable parallel safe
return (now() at time zone coalesce(nullif(current_setting('mandate.timezone', true), ''), 'UTC'))::date;
