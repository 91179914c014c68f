//! What commands tell on the standard output.

/// Writes a line as `println!` does, without what would do something to a terminal, and goes on when nobody reads it any more (`mandate ... | head`): what is to be done is done all the same, and the
/// exit code still says how it ended.
#[macro_export]
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let words = format!($($words)*);
        let _ = writeln!(std::io::stdout(), "{}", $crate::base::values::characters::shown(&words));
    }};
}
