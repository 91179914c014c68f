-- How figures are told.

-- A percent to one decimal. What is not complete is never told as 100, and what has begun not as 0; the first rounding takes off what a division left.
create function told_percent(percent numeric) returns double precision language sql immutable parallel safe
return case
    when round(percent, 6) < 100 and round(percent, 1) >= 100 then 99.9
    when round(percent, 6) > 0 and round(percent, 1) <= 0 then 0.1
    else round(percent, 1)
end::double precision;
