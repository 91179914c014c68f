//! Entities and sources of money: found by their code however it is written, and by their name where they say no code.

use std::collections::HashSet;

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Present, Rival, external, fault};
use crate::{
    error::Error,
    repository::Resource,
    transfer::directory::{Directory, Meant, names},
};

impl<R: Resource> Present<R> {
    /// Finds what neither an id, nor an external id, nor its very code leads to.
    pub(in crate::transfer) async fn find_by_name(
        &mut self,
        connection: &mut PgConnection,
        ids: &[Option<Uuid>],
        bodies: &[Value],
    ) -> Result<(), Error> {
        let open: Vec<(usize, &Value)> =
            self.open(ids, bodies).into_iter().filter(|(index, _)| !self.rivals.contains_key(index)).collect();
        if open.is_empty() {
            return Ok(());
        }
        let Some(directory) = Directory::find_all(connection, R::TABLE).await? else { return Ok(()) };
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        for (index, body) in open {
            let (code, name) = (body.get("code").and_then(Value::as_str), external(body));
            let country = body.get("country").and_then(Value::as_str);
            let (field, meant) = match code {
                Some(code) => ("code", directory.find_code(code)),
                None => ("name", directory.find_row(&body["name"], country)),
            };
            match meant {
                Meant::Nobody if code.is_none() && name.is_none() => {
                    let is_again = names(&body["name"]).into_iter().any(|name| !seen.insert((name, country)));
                    if is_again {
                        let detail = "an earlier row of this section has this name; keep one of them, or give each a code of its own";
                        self.faults.insert(index, fault(field, "duplicate", detail.into()));
                    }
                }
                Meant::Nobody => {}
                Meant::One(id) => match directory.external_id(id).filter(|_| name.is_some()) {
                    // Names of one file are told apart by their external ids.
                    Some(_) if directory.is_new(id) && code.is_none() => {}
                    Some(other) => {
                        let rival = Rival { field, external_id: other.to_owned() };
                        let second = if code.is_some() { "" } else { "; a code of its own makes a second one" };
                        self.faults.insert(index, fault(field, "taken", rival.detail() + second));
                    }
                    None => {
                        self.found.insert(index, vec![id]);
                        self.kept.insert(index, field);
                        found.push(id);
                    }
                },
                Meant::Several(first, second) => {
                    let detail =
                        format!("can mean {first} or {second}; say the `id` or the `code` of the one that is meant");
                    self.faults.insert(index, fault(field, "ambiguous", detail));
                }
            }
        }
        self.fetch(connection, &found).await
    }
}
