//! What would otherwise be written out in each noun.

/// Puts the named fields of a noun into the columns of the same names.
macro_rules! set_fields {
    ($row:expr, $noun:expr; $($field:ident),+ $(,)?) => {
        $($row.set(stringify!($field), &$noun.$field);)+
    };
}

/// The rule that following a reference to the same table never leads back to the row just written.
macro_rules! no_cycles {
    ($table:literal, $field:literal) => {
        concat!(
            "select * from (with recursive above(start, id) as (select id, ",
            $field,
            " from ",
            $table,
            " where id = any($1) ",
            "union select above.start, t.",
            $field,
            " from above join ",
            $table,
            " t on t.id = above.id) ",
            "select '#/",
            $field,
            "', 'cycle', 'This leads back to the resource itself; point to one that does not descend from it.' ",
            "where exists (select from above where start = id)) as ",
            $field
        )
    };
}

pub(crate) use {no_cycles, set_fields};
