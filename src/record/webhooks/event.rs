//! A change as a CloudEvent 1.0 in JSON: what a receiver gets.

use serde::Serialize;
use uuid::Uuid;

use super::{super::changes::Change, webhook};
use crate::{access::keys, router::nouns};

/// A CloudEvent (1.0, structured mode).
#[derive(Serialize)]
struct Event<'a> {
    specversion: &'static str,
    /// The id of the change.
    id: Uuid,
    source: &'static str,
    #[serde(rename = "type")]
    kind: String,
    /// The path of the resource.
    subject: String,
    time: String,
    datacontenttype: &'static str,
    /// The position, padded so that it sorts as text (extension `sequence`).
    sequence: String,
    data: &'a Change,
}

/// The body of a delivery.
pub(super) fn body(change: &Change) -> Vec<u8> {
    let event = Event {
        specversion: "1.0",
        id: change.id,
        source: "/v1/changes",
        kind: format!("mandate.{}.{}", change.kind, change.action),
        subject: subject(change),
        time: change.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        datacontenttype: "application/json",
        sequence: format!("{:020}", change.position),
        data: change,
    };
    serde_json::to_vec(&event).expect("a change is JSON")
}

/// The path of what was changed.
fn subject(change: &Change) -> String {
    let noun = nouns().iter().find(|noun| noun.kind == change.kind);
    let plural = match (change.kind.as_str(), noun) {
        (keys::KIND, _) => {
            // Its own id is not that of the resource, and is in what was kept of it.
            let kept = change.after.as_ref().or(change.before.as_ref());
            let id = kept.and_then(|kept| kept["id"].as_str()).unwrap_or_default();
            return format!("/v1/api-keys/{id}");
        }
        (webhook::KIND, _) => "webhooks".to_owned(),
        (kind, noun) => noun.map_or_else(|| kind.to_owned(), |noun| noun.table.replace('_', "-")),
    };
    format!("/v1/{plural}/{}", change.resource_id)
}

/// The `webhook-id`: the same in every attempt, and another for every webhook.
pub(super) fn message_id(change: Uuid, webhook: Uuid) -> String {
    format!("{}_{}", change.simple(), webhook.simple())
}
