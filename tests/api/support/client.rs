//! A client that speaks to the router in this process, and shows the body when an answer is not the expected one.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, Response, StatusCode},
};
use http_body_util::BodyExt as _;
use mandate::record::Record;
use serde_json::Value;
use tower::ServiceExt as _;

/// A client with a key.
#[derive(Clone)]
pub(crate) struct Client {
    router: Router,
    record: Record,
    key: Option<String>,
    viewer: String,
}

/// A request being made.
pub(crate) struct Call {
    router: Router,
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Client {
    pub(crate) fn new(router: Router, record: Record, admin: String, viewer: String) -> Self {
        Self { router, record, key: Some(admin), viewer }
    }

    /// The same service, spoken to as a viewer.
    pub(crate) fn as_viewer(&self) -> Self {
        Self { key: Some(self.viewer.clone()), ..self.clone() }
    }

    /// The same service, spoken to without a key.
    pub(crate) fn as_nobody(&self) -> Self {
        Self { key: None, ..self.clone() }
    }

    /// The same service, spoken to with this key.
    pub(crate) fn with_key(&self, key: String) -> Self {
        Self { key: Some(key), ..self.clone() }
    }

    /// The same keys for another service over the same database.
    pub(crate) fn over(&self, router: Router) -> Self {
        Self { router, ..self.clone() }
    }

    /// The service itself, to be put behind a socket.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// What the service is told when it is about to stop.
    pub(crate) fn record(&self) -> Record {
        self.record.clone()
    }

    /// The header that carries the key.
    pub(crate) fn authorization(&self) -> String {
        format!("Bearer {}", self.key.as_deref().unwrap_or_default())
    }

    pub(crate) fn call(&self, method: &'static str, path: impl Into<String>) -> Call {
        let headers = self.key.iter().map(|key| ("authorization".to_owned(), format!("Bearer {key}"))).collect();
        Call { router: self.router.clone(), method, path: path.into(), headers, body: Vec::new() }
    }

    pub(crate) fn get(&self, path: impl Into<String>) -> Call {
        self.call("GET", path)
    }

    pub(crate) fn post(&self, path: impl Into<String>, body: Value) -> Call {
        self.call("POST", path).json(body)
    }

    pub(crate) fn patch(&self, path: impl Into<String>, body: Value) -> Call {
        self.call("PATCH", path).json(body)
    }

    pub(crate) fn put(&self, path: impl Into<String>, body: Value) -> Call {
        self.call("PUT", path).json(body)
    }

    pub(crate) fn delete(&self, path: impl Into<String>) -> Call {
        self.call("DELETE", path)
    }

    /// Creates, and returns what was created.
    #[track_caller]
    pub(crate) fn create(&self, noun: &str, body: Value) -> impl Future<Output = Value> {
        let call = self.post(format!("/v1/{noun}"), body);
        async move { call.expect(201).await.json() }
    }
}

impl Call {
    pub(crate) fn json(self, body: Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn if_match(self, version: impl std::fmt::Display) -> Self {
        self.header("if-match", format!("\"{version}\""))
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends the request; the body of the answer is still to come.
    pub(crate) async fn open(self) -> Response<Body> {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        self.router.oneshot(request.body(Body::from(self.body)).unwrap()).await.unwrap()
    }

    /// Sends the request, whatever the answer.
    pub(crate) async fn send(self) -> Reply {
        let response = self.open().await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// Sends the request and demands a status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> impl Future<Output = Reply> {
        let place = std::panic::Location::caller();
        async move {
            let asked = format!("{} {}", self.method, self.path);
            let reply = self.send().await;
            assert_eq!(reply.status.as_u16(), status, "{asked} at {place} answered:\n{}", reply.text);
            if status >= 400 {
                let kind = reply.headers.get("content-type").map(|value| value.to_str().unwrap().to_owned());
                assert_eq!(
                    kind.as_deref(),
                    Some("application/problem+json"),
                    "{asked} at {place} is no problem:\n{}",
                    reply.text
                );
                assert_eq!(reply.json()["status"], status, "{}", reply.text);
            }
            reply
        }
    }
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// A header of the answer.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap().to_owned()
    }

    /// The faults of a problem as `pointer code`, sorted.
    pub(crate) fn faults(&self) -> Vec<String> {
        let json = self.json();
        let mut faults: Vec<String> = json["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|fault| format!("{} {}", fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap()))
            .collect();
        faults.sort();
        faults
    }
}
