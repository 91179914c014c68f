//! Contributions as a file of activities, judged by the schema before it leaves.

use std::collections::HashMap;

use mandate_xsd::{Element, write};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Settings,
    elements::{Partner, Publisher, activity},
    file::schema,
};
use crate::{
    api::answer::internal,
    base::values::{Text, languages},
    error::Error,
    nouns::international::{Contribution, ContributionPartner},
    repository::{self, Fault},
};

/// Contributions of a statement.
const CHUNK: usize = 200;

/// Which contributions.
#[derive(Debug, Default)]
pub struct Selection {
    /// These, by id or `external:` and external id; all when there is none.
    pub names: Vec<String>,
    /// Only given, or only received ones.
    pub direction: Option<String>,
}

/// A file of activities.
#[derive(Debug)]
pub struct Exported {
    /// The file.
    pub bytes: Vec<u8>,
    /// What is not in it.
    pub left_out: LeftOut,
}

/// Contributions that cannot be activities.
#[derive(Debug, Default)]
pub struct LeftOut {
    /// How many they are.
    pub contributions: usize,
    /// What each of them lacks.
    pub faults: Vec<Fault>,
}

/// Writes the file. A contribution that lacks what IATI asks for is left out and named; it is a conflict where it was asked for by name, or where
/// nothing else is left.
pub async fn export(
    connection: &mut PgConnection,
    selection: &Selection,
    settings: &Settings,
) -> Result<Exported, Error> {
    let mut transaction = repository::snapshot(connection).await?;
    repository::plan_anew(&mut transaction).await?;
    let bytes = all(&mut transaction, selection, settings).await;
    transaction.rollback().await?;
    bytes
}

async fn all(connection: &mut PgConnection, selection: &Selection, settings: &Settings) -> Result<Exported, Error> {
    let name = json!({languages()[0].as_str(): settings.name});
    let publisher = publisher(settings, &name)?;
    let ids = ids(connection, selection).await?;
    if ids.is_empty() {
        return Err(Error::NotFound(
            "there is nothing to export: no contribution that is public, or that was asked for, is to be seen; `all=true` exports what is not public too".into(),
        ));
    }
    let mut bytes = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<iati-activities version=\"2.03\">\n".to_vec();
    let (mut left_out, mut written) = (LeftOut::default(), 0);
    for chunk in ids.chunks(CHUNK) {
        let mut found: HashMap<Uuid, Value> = HashMap::new();
        for row in repository::find_many::<Contribution>(connection, chunk).await? {
            found.insert(row.id, serde_json::to_value(&row).map_err(internal)?);
        }
        let mut partners = partners(connection, chunk, &found).await?;
        for id in chunk {
            let Some(contribution) = found.get(id) else { continue };
            match activity(contribution, &partners.remove(id).unwrap_or_default(), &publisher) {
                Ok(activity) => {
                    judge(&activity)?;
                    write(&activity, 1, &mut bytes);
                    written += 1;
                }
                Err(lacking) => {
                    left_out.contributions += 1;
                    left_out.faults.extend(lacking);
                }
            }
        }
    }
    if left_out.contributions > 0 && (written == 0 || !selection.names.is_empty()) {
        return Err(Error::Conflict(left_out.faults));
    }
    for fault in &left_out.faults {
        // Two hyphens would end the comment; neither ids nor our words have any.
        let words = format!("{}: {}", fault.pointer, fault.detail).replace("--", "- -");
        bytes.extend(format!("  <!-- left out: {words} -->\n").into_bytes());
    }
    bytes.extend(b"</iati-activities>\n");
    Ok(Exported { bytes, left_out })
}

/// What is sent is what the schema allows; anything else is a fault of ours.
fn judge(activity: &Element) -> Result<(), Error> {
    match schema()?.judge(activity, "/iati-activities").first() {
        None => Ok(()),
        Some(flaw) => Err(Error::Internal(std::sync::Arc::new(anyhow::anyhow!("an export is not valid: {flaw:?}")))),
    }
}

fn publisher<'a>(settings: &'a Settings, name: &'a Value) -> Result<Publisher<'a>, Error> {
    let Settings { reference, kind, name: own } = settings;
    if let (Some(reference), Some(kind), Some(_)) = (reference, kind, own) {
        return Ok(Publisher { reference, kind, name });
    }
    let missing = [
        (reference.is_none(), "MANDATE_IATI_ORG_REF", "its identifier, such as RO-CUI-12345678"),
        (kind.is_none(), "MANDATE_IATI_ORG_TYPE", "its code of the IATI code list OrganisationType, such as 10"),
        (own.is_none(), "MANDATE_IATI_ORG_NAME", "its name"),
    ];
    let fault = |(_, setting, what): &(bool, &str, &str)| Fault {
        pointer: (*setting).into(),
        code: "required".into(),
        detail: format!("IATI asks which organisation publishes; whoever runs the service sets {setting} to {what}"),
    };
    Err(Error::Conflict(missing.iter().filter(|(is_missing, ..)| *is_missing).map(fault).collect()))
}

async fn ids(connection: &mut PgConnection, selection: &Selection) -> Result<Vec<Uuid>, Error> {
    let (mut own, mut external) = (Vec::new(), Vec::new());
    for name in &selection.names {
        match (name.strip_prefix("external:"), Uuid::try_parse(name)) {
            (Some(name), _) => external.push(name.to_owned()),
            (None, Ok(id)) => own.push(id),
            (None, Err(_)) => {
                let detail = "must be an id, or `external:` and the external id of a contribution".into();
                let fault = Fault { pointer: "contribution_id".into(), code: "wrong_format".into(), detail };
                return Err(Error::BadQuery(vec![fault]));
            }
        }
    }
    let found: Vec<(Uuid, Option<String>)> = sqlx::query_as(
        "select id, external_id from contributions
         where ($1 or id = any($2) or external_id = any($3)) and ($4 is null or direction = $4)
         order by external_id collate \"C\" nulls last, id",
    )
    .bind(selection.names.is_empty())
    .bind(&own)
    .bind(&external)
    .bind(&selection.direction)
    .fetch_all(connection)
    .await?;
    let is_there = |name: &&String| {
        found.iter().any(|(id, external)| {
            Uuid::try_parse(name).is_ok_and(|own| own == *id) || name.strip_prefix("external:") == external.as_deref()
        })
    };
    match selection.names.iter().find(|name| !is_there(name)) {
        Some(name) => Err(Error::NotFound(format!(
            "there is no contribution `{}` to export; `all=true` also exports what is not public",
            crate::base::text::brief(name)
        ))),
        None => Ok(found.into_iter().map(|(id, _)| id).collect()),
    }
}

/// Who takes part in each contribution: the lead first, then the partners, as far as their names are to be seen.
async fn partners(
    connection: &mut PgConnection,
    contributions: &[Uuid],
    found: &HashMap<Uuid, Value>,
) -> Result<HashMap<Uuid, Vec<Partner>>, Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar("select id from contribution_partners where contribution_id = any($1)")
        .bind(contributions)
        .fetch_all(&mut *connection)
        .await?;
    let mut rows = repository::find_many::<ContributionPartner>(connection, &ids).await?;
    rows.sort_by_key(|row| (row.created_at, row.id));
    let lead = |contribution: &Value| contribution["lead_id"].as_str().and_then(|id| Uuid::try_parse(id).ok());
    let mut entities: Vec<Uuid> = found.values().filter_map(lead).collect();
    entities.extend(rows.iter().filter_map(|row| Some(row.data.entity_id?.uuid())));
    let names: Vec<(Uuid, sqlx::types::Json<Text>)> =
        sqlx::query_as("select id, name from entities where id = any($1)")
            .bind(&entities)
            .fetch_all(connection)
            .await?;
    let names: HashMap<Uuid, Value> = names.into_iter().map(|(id, name)| (id, json!(name.0))).collect();
    let mut partners: HashMap<Uuid, Vec<Partner>> = HashMap::new();
    for (id, contribution) in found {
        if let Some(name) = lead(contribution).and_then(|lead| names.get(&lead)) {
            partners.entry(*id).or_default().push(json!({"role": "accountable", "name": name}));
        }
    }
    for row in rows {
        let mut partner = serde_json::to_value(&row.data).map_err(internal)?;
        if let Some(entity) = row.data.entity_id {
            match names.get(&entity.uuid()) {
                Some(name) => partner["name"] = name.clone(),
                None => continue,
            }
        }
        partners.entry(row.data.contribution_id.uuid()).or_default().push(partner);
    }
    Ok(partners)
}
