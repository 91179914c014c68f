//! `App`: what every handler may use, and the layers around all of them.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::Value;
use sqlx::PgConnection;
use tokio::sync::OnceCell;
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;

use crate::{
    access::{Actor, Confirming, KeyCache, oidc::Issuer},
    api::{idempotency::refuse_where_needless, incoming::Turns, precondition::refuse_no_tags},
    base::{
        limits::Limits,
        text::{brief, nearest},
    },
    documents::{self, Intake},
    edge::{
        Edge,
        body_watch::Awaited,
        cors,
        headers::{refuse_repeated, secure, takes_password},
    },
    error::{Error, Failure, render},
    proposals,
    record::{
        Record, Sequencer,
        webhooks::{Dispatcher, Egress},
    },
    repository::{self, Clearance, Connection, Pool},
    router::{self, Noun, nouns},
    transfer::iati,
};

/// What every handler may use.
#[derive(Clone)]
pub struct App {
    pool: Pool,
    /// Keys seen lately.
    pub keys: KeyCache,
    /// The issuer whose tokens are taken besides keys.
    pub issuer: Option<Issuer>,
    /// The metrics of the process, when it keeps any.
    pub metrics: Option<PrometheusHandle>,
    /// The currency of amounts that do not say theirs, when the service has one.
    pub currency: Option<Arc<str>>,
    /// The organisation that publishes with IATI.
    pub iati: Arc<iati::Settings>,
    /// What the sequencer and the listeners share.
    pub record: Record,
    /// Where deliveries to webhooks may go.
    pub egress: Egress,
    /// How the service meets the network.
    pub edge: Edge,
    /// Whether what is public is shown without a key.
    pub is_public: bool,
    /// The turns of large bodies.
    pub turns: Turns,
    /// How captured copies come in.
    pub intake: Intake,
    /// What whoever asks may see: what is public, until `seen_by` says otherwise. So a handler that forgets it shows too little.
    pub clearance: Clearance,
    /// The proposal that requests to this state confirm.
    pub confirming: Option<Arc<Confirming>>,
    nouns: &'static [Noun],
}

/// A body may have so many bytes.
pub const BODY_LIMIT: usize = 1 << 20;

impl App {
    /// The application over a pool.
    pub fn new(pool: Pool, metrics: Option<PrometheusHandle>) -> Self {
        Self {
            pool,
            keys: KeyCache::default(),
            issuer: None,
            metrics,
            currency: None,
            iati: Arc::default(),
            record: Record::default(),
            egress: Egress::default(),
            edge: Edge::default(),
            is_public: false,
            turns: Turns::default(),
            intake: Intake::default(),
            clearance: Clearance::default(),
            confirming: None,
            nouns: nouns(),
        }
    }

    /// The same with a currency (`MANDATE_CURRENCY`).
    #[must_use]
    pub fn with_currency(mut self, currency: &str) -> Self {
        self.currency = Some(currency.into());
        self
    }

    /// The same, publishing with IATI as this organisation.
    #[must_use]
    pub fn with_iati(mut self, settings: iati::Settings) -> Self {
        self.iati = settings.into();
        self
    }

    /// The same, showing what is public to everybody (`MANDATE_PUBLIC`).
    #[must_use]
    pub fn with_public(mut self, is_public: bool) -> Self {
        self.is_public = is_public;
        self
    }

    /// The same, taking captured copies of so many bytes (`MANDATE_DOCUMENT_LIMIT`).
    #[must_use]
    pub fn with_document_limit(mut self, bytes: usize) -> Self {
        self.intake = Intake::of(bytes);
        self
    }

    /// The same, taking tokens of this issuer (`MANDATE_OIDC_ISSUER`).
    #[must_use]
    pub fn with_issuer(mut self, issuer: Option<Issuer>) -> Self {
        self.issuer = issuer;
        self
    }

    /// The same as this actor sees it.
    #[must_use]
    pub fn seen_by(mut self, actor: &Actor) -> Self {
        self.clearance = actor.clearance();
        self
    }

    /// The same, to which a request confirms this proposal.
    #[must_use]
    pub fn confirming(mut self, confirming: Confirming) -> Self {
        self.confirming = Some(Arc::new(confirming));
        self
    }

    /// The same with this state of the record.
    #[must_use]
    pub fn with_record(mut self, record: Record) -> Self {
        self.record = record;
        self
    }

    /// The same with what `MANDATE_WEBHOOK_ALLOW` allows.
    #[must_use]
    pub fn with_egress(mut self, egress: Egress) -> Self {
        self.egress = egress;
        self
    }

    /// The same with these proxies, limits and sites.
    #[must_use]
    pub fn with_edge(mut self, edge: Edge) -> Self {
        self.edge = edge;
        self
    }

    /// Starts to send deliveries to webhooks. A service whose dispatcher does not run leaves that to others.
    pub fn start_dispatcher(&self) -> Dispatcher {
        Dispatcher::start(self.pool.clone(), self.record.clone(), self.egress.clone())
    }

    /// Starts to give changes their positions. A service whose sequencer does not run leaves that to others.
    pub fn start_sequencer(&self) -> Sequencer {
        Sequencer::start(self.pool.clone(), self.record.clone())
    }

    /// A connection, or `503`.
    pub async fn connection(&self) -> Result<Connection, Error> {
        repository::lend(&self.pool).await.map_err(|error| {
            tracing::warn!(%error, "no database connection");
            Error::Unavailable("the database is busy or away; try again".into())
        })
    }

    /// Who refers to a table: pairs of table and field.
    pub fn referrers(&self, table: &str) -> Vec<(&'static str, &'static str)> {
        let fields = |noun: &'static Noun| noun.references.iter().map(move |reference| (noun.table, reference));
        self.nouns
            .iter()
            .flat_map(fields)
            .filter(|(_, reference)| reference.table == table)
            .map(|(from, reference)| (from, reference.field))
            .collect()
    }

    /// Resources of a table by id, as JSON.
    pub async fn fetch(&self, connection: &mut PgConnection, table: &str, ids: &[Uuid]) -> Result<Vec<Value>, Error> {
        match self.nouns.iter().find(|noun| noun.table == table) {
            Some(noun) => (noun.fetch)(connection, ids).await,
            None => Ok(Vec::new()),
        }
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts the layers around the routes, the outermost last.
pub fn layered(routes: Router<App>, app: App, limits: Limits) -> Router {
    let routes = routes
        .fallback(async |request: Request| Error::NotFound(nothing_at(request.uri().path()).await))
        .method_not_allowed_fallback(async |request: Request| {
            let (method, path) = (request.method(), request.uri().path());
            Error::MethodNotAllowed(format!("{method} is not possible at {path}; the header `Allow` says what is"))
        })
        .layer(axum::extract::DefaultBodyLimit::max(BODY_LIMIT));
    let routes = routes
        .layer(middleware::from_fn_with_state(app.clone(), proposals::wait))
        .layer(middleware::from_fn(refuse_where_needless))
        .layer(middleware::from_fn(refuse_no_tags))
        .layer(middleware::from_fn(refuse_repeated))
        .layer(middleware::from_fn_with_state(app.clone(), tell_of_writes))
        .layer(middleware::from_fn(move |request, next| in_time(limits, request, next)))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
            let words = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            Error::Internal(Arc::new(anyhow::anyhow!("panic: {}", words.unwrap_or_default()))).into_response()
        }));
    cors::open_to(&app.edge.origins, routes)
        .layer(middleware::from_fn_with_state(app.edge.clone(), trace))
        .with_state(app)
}

/// The paths without parameters, without the base.
fn paths() -> Vec<String> {
    let document = router::document();
    let paths = document["paths"].as_object().into_iter().flatten().map(|(path, _)| path);
    paths.filter(|path| !path.contains('{')).filter_map(|path| Some(path.strip_prefix(BASE)?.to_owned())).collect()
}

const BASE: &str = "/v1/";

/// Says that a path leads nowhere, and which one may have been meant: like all of it, or like its beginning.
async fn nothing_at(path: &str) -> String {
    static PATHS: OnceCell<Vec<String>> = OnceCell::const_new();
    // Off the event loop, and once: the document is large. Without it there is no hint.
    let known =
        PATHS.get_or_try_init(|| tokio::task::spawn_blocking(paths)).await.map(Vec::as_slice).unwrap_or_default();
    let rest = path.strip_prefix(BASE).unwrap_or_default().trim_end_matches('/');
    let parts = [rest, rest.split('/').next().unwrap_or_default()];
    let meant = parts.into_iter().find_map(|part| nearest(part, known.iter().map(String::as_str)));
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean `{BASE}{meant}`?"));
    format!("there is nothing at {}{meant}; /openapi.json lists what there is", brief(path))
}

/// Bounds the handler, which also reads the body: a client that is too slow is told so, and so is one that waits for us.
async fn in_time(limits: Limits, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_bulk = path.starts_with("/v1/imports") || ["/v1/measurement-batches", documents::PATH].contains(&path);
    let time = if is_bulk { limits.import_time } else { limits.time };
    let body = Awaited::default();
    let again = again(&request);
    let first = next.clone().run(request.map(|inner| body.watch(inner)));
    let answer = async {
        let (answer, broke) = repository::watched(first).await;
        match again {
            // Its connection was dead before it was lent, or died meanwhile; nothing was answered yet.
            Some(request) if broke && answer.status().is_server_error() => {
                repository::watched(next.run(request)).await.0
            }
            _ => answer,
        }
    };
    tokio::time::timeout(time, answer).await.unwrap_or_else(|_| {
        if body.is_awaited() { Error::RequestTimeout.into_response() } else { Error::Timeout.into_response() }
    })
}

/// The same request once more, where it only reads.
fn again(request: &Request) -> Option<Request> {
    request.method().is_safe().then(|| {
        let mut again = Request::new(Body::empty());
        *again.method_mut() = request.method().clone();
        *again.uri_mut() = request.uri().clone();
        *again.version_mut() = request.version();
        *again.headers_mut() = request.headers().clone();
        *again.extensions_mut() = request.extensions().clone();
        again
    })
}

/// Wakes the sequencer after a write, so that readers of the feed need not wait for its next look.
async fn tell_of_writes(State(app): State<App>, request: Request, next: Next) -> Response {
    let reads = request.method().is_safe();
    let response = next.run(request).await;
    if !reads && response.status().is_success() {
        app.record.written();
    }
    response
}

/// The request's id, its client, its line in the log, its metrics, and the body of its problem. All failures are logged here, and nowhere else.
async fn trace(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let given =
        request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).and_then(|id| Uuid::try_parse(id).ok());
    let id = given.unwrap_or_else(Uuid::now_v7).to_string();
    let id_header = HeaderValue::from_str(&id).expect("a UUID is a header");
    request.headers_mut().insert(REQUEST_ID, id_header.clone());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
    let client = edge.client(peer, request.headers());
    request.extensions_mut().insert(client);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |route| route.as_str().to_owned());
    let takes_password = takes_password(request.headers());
    let began = Instant::now();
    let mut response = next.run(request).await;
    let failure = response.extensions_mut().remove::<Failure>().or_else(|| unexplained(&response));
    if let Some(failure) = &failure {
        if let Error::Internal(cause) = &*failure.0 {
            tracing::error!(request_id = id, %method, path, cause = format!("{cause:#}"), "request failed");
        }
        response = render(response, failure, &id);
    }
    let status = response.status().as_u16();
    let seconds = began.elapsed().as_secs_f64();
    let labels =
        [("method", label(&method, response.status()).to_owned()), ("route", route), ("status", status.to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels).record(seconds);
    tracing::info!(request_id = id, address = %client.address, %method, path, status, duration_ms = seconds * 1000.0, "request");
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id_header);
    if takes_password && headers.contains_key(header::WWW_AUTHENTICATE) {
        let basic = HeaderValue::from_static("Basic realm=\"mandate\", charset=\"UTF-8\"");
        headers.append(header::WWW_AUTHENTICATE, basic);
    }
    secure(headers, &path, client.is_https);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    response
}

/// The method as a label. A client can invent methods, and each label is a series that is kept for ever; so what is not possible at its address
/// has no name.
fn label(method: &Method, status: StatusCode) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let known = KNOWN.into_iter().find(|known| method == *known);
    known.filter(|_| status != StatusCode::METHOD_NOT_ALLOWED).unwrap_or("other")
}

/// The problem of an answer that axum gave by itself.
fn unexplained(response: &Response<Body>) -> Option<Failure> {
    let explained = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
    if explained {
        return None;
    }
    let error = match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Error::TooLarge(format!("a body may have at most {BODY_LIMIT} bytes here; use an import for more"))
        }
        StatusCode::NOT_FOUND => Error::NotFound("there is nothing at this address".into()),
        StatusCode::REQUEST_TIMEOUT => Error::RequestTimeout,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Error::UnsupportedMediaType("send JSON".into()),
        status if status.is_client_error() => Error::Malformed("the request is not understood".into()),
        status if status.is_server_error() => {
            Error::Internal(Arc::new(anyhow::anyhow!("an answer of {status} without a problem")))
        }
        _ => return None,
    };
    Some(Failure(Arc::new(error)))
}
