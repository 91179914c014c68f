//! What sentences of reports need to be right in English and in Romanian.

use std::collections::BTreeMap;

use crate::base::values::Text;

/// Words in English and Romanian.
pub(super) type Both = (String, String);

/// As a text of the service.
pub(super) fn told((en, ro): Both) -> Text {
    Text(BTreeMap::from([("en".into(), en), ("ro".into(), ro)]))
}

/// A Romanian number and its noun: from twenty on with `de`.
pub(super) fn counted(n: i64, one: &str, many: &str) -> String {
    match n {
        1 => one.into(),
        _ if n != 0 && (n % 100 == 0 || n % 100 >= 20) => format!("{n} de {many}"),
        _ => format!("{n} {many}"),
    }
}
