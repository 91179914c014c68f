//! `POST /v1/confirmations`: a second principal confirms a proposal or rejects it, or its proposer withdraws it.

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{RawQuery, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    handlers::{seen, shown},
    store::{self, Decision, Proposal, State as Standing},
};
use crate::{
    access::{
        Actor, Confirming,
        own::{self, When},
    },
    api::{
        answer::internal,
        json as body,
        query::{self, NoParameters},
    },
    app::{App, BODY_LIMIT},
    error::{Error, Failure},
    repository::{self, Fault, Faults},
    router,
};

/// A decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// It is to be written: for another principal than its proposer, who may do it himself.
    Confirm,
    /// It is not to be written: for another principal who may do it himself.
    Reject,
    /// It is taken back: for its proposer.
    Withdraw,
}

/// A decision on a proposal.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmation {
    /// The proposal.
    proposal_id: Uuid,
    /// What is decided.
    #[schema(inline)]
    decision: Verdict,
    /// Why.
    #[schema(min_length = 1, max_length = 1000, pattern = r"\S")]
    reason: Option<String>,
}

pub(super) async fn create(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    bytes: Bytes,
) -> Result<Response, Error> {
    actor.may("create_confirmation")?;
    query::read::<NoParameters>(query.as_deref())?;
    let asked: Confirmation = body::decode(body::parse(&headers, &bytes)?).map_err(Error::Invalid)?;
    let proposal = match seen(&app, &actor, asked.proposal_id).await {
        Err(Error::NotFound(why)) => return Err(Error::invalid("proposal_id", "not_found", why)),
        other => other?,
    };
    may_decide(&app, &actor, &proposal, asked.decision).await?;
    let state = match asked.decision {
        Verdict::Confirm => Standing::Confirmed,
        Verdict::Reject => Standing::Rejected,
        Verdict::Withdraw => Standing::Withdrawn,
    };
    let principal = actor.principal();
    if proposal.state != Standing::Proposed {
        // The same again is answered the same.
        if proposal.state == state && proposal.decided_by.as_deref() == Some(principal.as_str()) {
            return Ok(Json(shown(&proposal)?).into_response());
        }
        return Err(decided(&proposal));
    }
    let by = (principal.as_str(), actor.name());
    let reason = asked.reason.as_deref();
    if asked.decision != Verdict::Confirm {
        let decision = Decision { state, by, reason, problem: None };
        settle(&app, proposal.id, &decision).await?;
        return Ok(Json(shown(&seen(&app, &actor, proposal.id).await?)?).into_response());
    }
    let problem = match perform(&app, &headers, &proposal).await? {
        Outcome::Written(answer) => {
            store::explain(&mut *app.connection().await?, proposal.id, &principal, reason).await?;
            let now = seen(&app, &actor, proposal.id).await?;
            if now.state == Standing::Confirmed {
                let mut value = shown(&now)?;
                value["answer"] = answer;
                return Ok(Json(value).into_response());
            }
            "It would change nothing any more.".to_owned()
        }
        Outcome::Impossible(problem) => problem,
        Outcome::Other(response) => return Ok(response),
    };
    settle(&app, proposal.id, &Decision { state: Standing::Stale, by, reason, problem: Some(&problem) }).await?;
    Err(conflict("stale", format!("It is not possible any more, and the proposal is over: {problem}")))
}

fn conflict(code: &str, detail: String) -> Error {
    let mut faults = Faults::default();
    faults.add("proposal_id", code, detail);
    Error::Conflict(faults.0)
}

fn decided(proposal: &Proposal) -> Error {
    let state = serde_json::to_value(proposal.state).unwrap_or_default();
    conflict("decided", format!("It is {} already; propose it anew.", state.as_str().unwrap_or_default()))
}

async fn settle(app: &App, id: Uuid, decision: &Decision<'_>) -> Result<(), Error> {
    let mut connection = app.connection().await?;
    let done = store::decide(&mut connection, id, decision).await.map_err(repository::Error::at_commit)?;
    if done { Ok(()) } else { Err(conflict("decided", "It has been decided meanwhile; read it again.".into())) }
}

/// Its proposer takes it back; somebody else, who may do it himself, does the rest.
async fn may_decide(app: &App, actor: &Actor, proposal: &Proposal, decision: Verdict) -> Result<(), Error> {
    let principal = actor.principal();
    let is_own = principal == proposal.proposed_by;
    if decision == Verdict::Withdraw {
        let why = "only its proposer withdraws a proposal; reject it";
        return if is_own { Ok(()) } else { Err(Error::Forbidden(why.into())) };
    }
    let mut connection = app.connection().await?;
    if is_own || store::are_related(&mut connection, &principal, &proposal.proposed_by).await? {
        return Err(Error::Forbidden(
            "a second principal is needed: neither the proposer, nor who made the key of the other".into(),
        ));
    }
    let grant = actor.may(&proposal.operation)?;
    if decision == Verdict::Confirm || !grant.is_own() {
        // What is confirmed is judged as if the second wrote it himself.
        return Ok(());
    }
    if proposal.action == "created" {
        return Err(Error::Forbidden("what is new is nobody's own yet; the coordinator rejects it".into()));
    }
    own::check(&mut connection, grant, (&proposal.kind, proposal.target_id), When::Before).await
}

/// What came of a proposal that was made again.
enum Outcome {
    /// It is written; the answer.
    Written(Value),
    /// It is not possible any more, and why.
    Impossible(String),
    /// An answer that says something of now or of the second principal, and nothing of the proposal.
    Other(Response),
}

/// Makes the request again, as the second principal in the name of both.
async fn perform(app: &App, headers: &HeaderMap, proposal: &Proposal) -> Result<Outcome, Error> {
    let confirming =
        Confirming { proposal: proposal.id, proposed_by: proposal.proposed_by.clone(), actor: proposal.actor.clone() };
    let mut request = Request::builder()
        .method(proposal.method.as_str())
        .uri(&proposal.path)
        .body(Body::from(proposal.body.clone()))
        .map_err(internal)?;
    let mut put = |name: HeaderName, value: Option<&[u8]>| -> Result<(), Error> {
        if let Some(value) = value {
            request.headers_mut().insert(name, HeaderValue::from_bytes(value).map_err(internal)?);
        }
        Ok(())
    };
    let own = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    put(header::AUTHORIZATION, own("authorization"))?;
    put(HeaderName::from_static("x-request-id"), own("x-request-id"))?;
    put(header::CONTENT_TYPE, proposal.content_type.as_deref().map(str::as_bytes))?;
    put(header::IF_MATCH, proposal.if_match.as_deref().map(str::as_bytes))?;
    let reason = proposal.reason.as_deref().map(|reason| utf8_percent_encode(reason, NON_ALPHANUMERIC).to_string());
    put(HeaderName::from_static("mandate-reason"), reason.as_deref().map(str::as_bytes))?;
    let app = app.clone().confirming(confirming);
    let response = router::routes().with_state(app).oneshot(request).await.map_err(internal)?;
    if let Some(failure) = response.extensions().get::<Failure>() {
        let why = impossible(&failure.0, proposal);
        return Ok(why.map_or_else(|| Outcome::Other(response), Outcome::Impossible));
    }
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 16 * BODY_LIMIT).await.map_err(internal)?;
    let body = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
    Ok(Outcome::Written(json!({"status": parts.status.as_u16(), "body": body})))
}

/// Why a failure makes the proposal impossible, if it does: told to who confirms, and cannot change what was asked for.
fn impossible(error: &Error, proposal: &Proposal) -> Option<String> {
    const AGAIN: &str = "Have it proposed again, on what is there now; nothing is left to withdraw or to reject.";
    match error {
        Error::Stale(current) => {
            let given = proposal.if_match.as_deref().map(|tag| tag.trim_matches(['"', ' ']).to_owned());
            let given = given
                .filter(|given| given != "*")
                .or(proposal.target_version.map(|version| version.to_string()))
                .unwrap_or_default();
            let now = current.as_ref().map_or_else(String::new, |now| format!(" to version {}", now["version"]));
            return Some(format!("It has changed since it was proposed, from version {given}{now}. {AGAIN}"));
        }
        Error::Deleted(history) => {
            return Some(format!("It was deleted after it was proposed; its history is at {history}."));
        }
        _ => {}
    }
    let problem = error.problem();
    if ![404, 409, 412, 422, 428].contains(&problem.status) {
        return None;
    }
    let told = |fault: Fault| match fault.detail.strip_suffix("; read it again").filter(|_| fault.code == "stale") {
        Some(words) => format!("{}: {words}. {AGAIN}", fault.pointer),
        None if fault.code == "not_as_proposed" => format!("{} {AGAIN}", fault.detail),
        None => fault.detail,
    };
    let details: Vec<String> = problem.errors.into_iter().map(told).collect();
    Some(if details.is_empty() { problem.detail } else { details.join(" ") })
}
