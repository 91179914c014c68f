//! Conditions that several nouns share, from fields of their filters that have the same names.

/// The deadline is of a kind, within days, or there.
macro_rules! select_deadline {
    ($select:expr, $filter:expr) => {
        $select
            .words("deadline_kind", &$filter.deadline_kind)
            .days("deadline_to", $filter.deadline_after, $filter.deadline_before)
            .holds("deadline_text is not null", $filter.has_deadline)
    };
}

/// What can be asked of initiatives and steps alike.
macro_rules! select_work {
    ($select:expr, $filter:expr) => {
        $crate::nouns::plan::conditions::select_deadline!($select, $filter)
            .words("code", &$filter.code)
            .words("status", &$filter.status)
            .days("starts_on", $filter.starts_after, $filter.starts_before)
    };
}

pub(super) use {select_deadline, select_work};
