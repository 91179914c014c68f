//! The participating organisations of activities as partners of contributions: those that are there already are found again.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    base::values::Text,
    error::Error,
    nouns::international::ContributionPartner,
    repository::{self, Author, Stored},
    transfer::{
        how::Mode,
        section::{Before, Given, Verdict, import_section},
    },
};

/// The partners that a contribution is to have.
pub(super) struct Wanted {
    pub(super) contribution: Uuid,
    pub(super) is_new: bool,
    /// The entity that answers for it, which an export names as accountable.
    pub(super) lead: Option<Uuid>,
    pub(super) partners: Vec<Map<String, Value>>,
}

/// Writes the partners; each verdict has the index of its contribution. A partner that no activity names any more stays.
pub(super) async fn write(
    connection: &mut PgConnection,
    author: &Author,
    classification: Option<&str>,
    wanted: &[Wanted],
) -> Result<Vec<(usize, Verdict)>, Error> {
    let mut there = There::find(connection, wanted).await?;
    let (mut places, mut rows) = (Vec::new(), Vec::new());
    for (at, contribution) in wanted.iter().enumerate() {
        for partner in &contribution.partners {
            if let Some(row) = there.row(contribution, partner, classification) {
                places.push(at);
                rows.push(row);
            }
        }
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let verdicts =
        import_section::<ContributionPartner>(connection, author, Mode::Merge, rows, &mut Before::default()).await?;
    Ok(places.into_iter().zip(verdicts).collect())
}

struct There {
    partners: HashMap<Uuid, Vec<Stored<ContributionPartner>>>,
    names: HashMap<Uuid, Text>,
}

impl There {
    async fn find(connection: &mut PgConnection, wanted: &[Wanted]) -> Result<Self, Error> {
        let known: Vec<Uuid> = wanted.iter().filter(|one| !one.is_new).map(|one| one.contribution).collect();
        let mut there = Self { partners: HashMap::new(), names: HashMap::new() };
        if known.is_empty() {
            return Ok(there);
        }
        let ids: Vec<Uuid> = sqlx::query_scalar("select id from contribution_partners where contribution_id = any($1)")
            .bind(&known)
            .fetch_all(&mut *connection)
            .await?;
        let mut partners = repository::find_many::<ContributionPartner>(connection, &ids).await?;
        partners.sort_by_key(|partner| (partner.created_at, partner.id));
        let mut entities: Vec<Uuid> = wanted.iter().filter_map(|one| one.lead).collect();
        entities.extend(partners.iter().filter_map(|partner| Some(partner.data.entity_id?.uuid())));
        let names: Vec<(Uuid, sqlx::types::Json<Text>)> =
            sqlx::query_as("select id, name from entities where id = any($1)")
                .bind(&entities)
                .fetch_all(&mut *connection)
                .await?;
        there.names = names.into_iter().map(|(id, name)| (id, name.0)).collect();
        for partner in partners {
            there.partners.entry(partner.data.contribution_id.uuid()).or_default().push(partner);
        }
        Ok(there)
    }

    /// The row of a partner, if it needs one.
    fn row(&mut self, wanted: &Wanted, partner: &Map<String, Value>, classification: Option<&str>) -> Option<Given> {
        let names = &self.names;
        let mine = self.partners.entry(wanted.contribution).or_default();
        let is_it = |other: &Stored<ContributionPartner>| {
            let other = &other.data;
            let name = other.entity_id.map_or(other.name.as_ref(), |id| names.get(&id.uuid()));
            let reference = partner["reference"].as_str();
            json!(other.role) == partner["role"]
                && match (reference, other.reference.as_deref()) {
                    (Some(one), Some(other)) => one == other,
                    _ => name.is_some_and(|name| meets(name, &partner["name"])),
                }
        };
        if let Some(index) = mine.iter().position(is_it) {
            let before = mine.remove(index);
            let mut body = json!({});
            for field in ["reference", "organisation_type", "activity_reference"] {
                body[field] = partner[field].clone();
            }
            if before.data.entity_id.is_none() {
                body["name"] = partner["name"].clone();
            }
            return Some(Given { id: Some(before.id), body });
        }
        let lead = wanted.lead.and_then(|id| names.get(&id)).filter(|_| partner["role"] == "accountable");
        let is_bare =
            ["reference", "organisation_type", "activity_reference"].iter().all(|field| partner[*field].is_null());
        if lead.is_some_and(|lead| is_bare && meets(lead, &partner["name"])) {
            return None;
        }
        let mut body = partner.clone();
        body.insert("contribution_id".into(), json!(wanted.contribution));
        body.extend(classification.map(|word| ("classification".to_owned(), json!(word))));
        Some(Given { id: None, body: Value::Object(body) })
    }
}

/// True when two names are the same in some language.
fn meets(name: &Text, other: &Value) -> bool {
    name.0.iter().any(|(language, words)| other[language.as_str()].as_str() == Some(words.trim()))
}
