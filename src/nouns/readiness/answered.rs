//! The rule over what is answered: an answer fits its framework, whichever of the three was written.

/// The faults of the answers in `$1`, or whose assessment or framework is in `$1`.
pub(super) const ANSWERED: &str = "select * from (with touched as ( \
       select id from answers where id = any($1) \
       union select id from answers where assessment_id = any($1) \
       union select w.id from assessments a join answers w on w.assessment_id = a.id where a.framework_id = any($1)) \
     select case when w.id = any($1) then k.pointer when a.id = any($1) then '#/framework_id' else '#/areas' end, k.code, \
       format('Indicator %s of %s %s: %s', w.indicator, f.code, f.edition, k.detail) \
     from touched join answers w using (id) join assessments a on a.id = w.assessment_id join frameworks f on f.id = a.framework_id \
     left join lateral framework_indicators(f.areas) i on i.code = w.indicator, \
     lateral (select coalesce(i.levels, '[]') <> '[]' as has_levels, \
       (select string_agg(l ->> 'code', ', ') from jsonb_array_elements(i.levels) l) as levels) l, \
     lateral (values \
       (i.code is null, '#/indicator', 'unknown_indicator', 'the framework has none of this code.'), \
       (l.has_levels and w.level is null, '#/level', 'required', format('it is answered by a level: %s.', l.levels)), \
       (w.level is not null and i.code is not null and not coalesce(i.levels @> jsonb_build_array(jsonb_build_object('code', w.level)), false), \
         '#/level', 'unknown_level', coalesce(format('its levels are %s.', l.levels), 'it has no levels; say points or is_met.')), \
       (w.points is not null and not l.has_levels and i.code is not null and i.max_points is null, '#/points', 'no_points', \
         'the framework gives it no points; say is_met.'), \
       (w.points > i.max_points, '#/points', 'too_many', format('it gives %s points at most.', i.max_points)), \
       (w.expected_level is not null and i.code is not null \
         and not coalesce(i.levels @> jsonb_build_array(jsonb_build_object('code', w.expected_level)), false), \
         '#/expected_level', 'unknown_level', coalesce(format('its levels are %s.', l.levels), 'it has no levels; say expected_points.')), \
       (w.expected_points is not null and (l.has_levels or i.max_points is null), '#/expected_points', 'no_points', \
         'it is not answered by points; leave it out.'), \
       (w.expected_points > i.max_points, '#/expected_points', 'too_many', format('it gives %s points at most.', i.max_points)) \
     ) k(broken, pointer, code, detail) where k.broken) as answered";
