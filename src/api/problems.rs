//! The kinds of problem, and the page that each problem's `type` leads to.

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};

use crate::error::Error;

/// The kinds of problem: code, status, meaning.
pub const PROBLEMS: [(&str, u16, &str); 25] = [
    ("malformed", 400, "The request cannot be read at all. `detail` says where reading ended."),
    ("bad_query", 400, "Parameters of the query are unknown, repeated or not of their type. `errors` names each."),
    (
        "unauthenticated",
        401,
        "There is no key, or it is mistyped, expired or revoked; or the token is not good, and `detail` says why.",
    ),
    ("forbidden", 403, "The key or token is valid, and its role may not do this."),
    ("not_found", 404, "There is nothing at this address."),
    ("method_not_allowed", 405, "The address exists; the method does not."),
    ("not_acceptable", 406, "None of the formats in `Accept` is offered."),
    ("request_timeout", 408, "The request did not arrive in time."),
    (
        "conflict",
        409,
        "The state of things does not allow it: a value is taken, others refer to the resource, a cycle would come to be, approved dates would be lost. Nothing was changed.",
    ),
    (
        "archived",
        409,
        "It belongs to a strategy that is archived, and stays as it is. Nothing was changed. `errors` says how the strategy is reopened.",
    ),
    (
        "idempotency_key_in_use",
        409,
        "The first request with this Idempotency-Key is still under way. Send the same request again after `Retry-After` seconds.",
    ),
    ("deleted", 410, "It was deleted. `history` says where its history is."),
    (
        "absent",
        412,
        "`If-Match` names a version, and nothing has this name. Leave it out, or send `If-None-Match: *`, to create. Nothing was changed.",
    ),
    ("stale", 412, "It has changed since the version in `If-Match`. `current` is how it is now."),
    ("too_large", 413, "The body is larger than this address takes."),
    ("unsupported_media_type", 415, "The body is not declared as JSON."),
    ("invalid", 422, "The content is understood and not valid. `errors` names every fault. Nothing was changed."),
    (
        "idempotency_key_reused",
        422,
        "This Idempotency-Key stands for another request: the method, path, query, Content-Type, If-Match or body differ. Nothing was changed.",
    ),
    ("version_required", 428, "The change needs `If-Match` with the version that you have read."),
    (
        "rate_limited",
        429,
        "More requests than one may make a second. Nothing was done. Send it again after `Retry-After` seconds.",
    ),
    (
        "failed_logins",
        429,
        "Too many logins failed from this address, so this one was not tried. Nothing was done. Keys that were good here lately still work; otherwise try again after `Retry-After` seconds, with a key that is valid.",
    ),
    ("internal", 500, "The fault is ours. The log has it under `request_id`."),
    ("unavailable", 503, "Not possible at the moment, and nothing was written. Try again after `Retry-After` seconds."),
    (
        "outcome_unknown",
        503,
        "The database was lost before it confirmed the write, which may have happened or not. Send it again with the same Idempotency-Key, or read the resource before you repeat it.",
    ),
    (
        "timeout",
        504,
        "It took too long. A write may or may not have happened: repeat it with the same Idempotency-Key, or read before you do.",
    ),
];

/// Says what a problem is, at the address in its `type`.
pub async fn problem_page(Path(code): Path<String>) -> Result<Response, Error> {
    let wanted = code.replace('-', "_");
    let (code, status, words) = PROBLEMS
        .iter()
        .find(|(code, ..)| *code == wanted)
        .ok_or_else(|| Error::NotFound("there is no such kind of problem".into()))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{code} ({status})\n\n{words}\n"))
        .into_response())
}
