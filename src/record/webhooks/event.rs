//! A change as a CloudEvent 1.0 in JSON: what a receiver gets.

use serde::Serialize;
use uuid::Uuid;

use super::super::changes::Change;
use crate::router::nouns;

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
    let path = nouns().iter().find(|noun| noun.kind == change.kind);
    let plural = path.map_or_else(|| change.kind.clone(), |noun| noun.table.replace('_', "-"));
    let event = Event {
        specversion: "1.0",
        id: change.id,
        source: "/v1/changes",
        kind: format!("mandate.{}.{}", change.kind, change.action),
        subject: format!("/v1/{plural}/{}", change.resource_id),
        time: change.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        datacontenttype: "application/json",
        sequence: format!("{:020}", change.position),
        data: change,
    };
    serde_json::to_vec(&event).expect("a change is JSON")
}

/// The `webhook-id`: the same in every attempt, and another for every webhook.
pub(super) fn message_id(change: Uuid, webhook: Uuid) -> String {
    format!("{}_{}", change.simple(), webhook.simple())
}
