//! One attempt: a POST over a connection of its own to an address that was checked. No redirects, no proxies, 10 s, 64 KiB.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use axum::http::{HeaderMap, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{self, ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};
use url::Url;

use super::{egress::Egress, signature::signatures};

/// A receiver has so long, from the look-up of its name to the end of its answer.
pub(super) const TIME: Duration = Duration::from_secs(10);
/// So much of an answer is read.
const READ: usize = 64 * 1024;
/// So much of it is kept.
const KEPT: usize = 1024;

/// What is sent, and where to.
pub(super) struct Message {
    pub(super) url: String,
    pub(super) id: String,
    /// Seconds since 1970, by the database's clock.
    pub(super) timestamp: i64,
    pub(super) secrets: Vec<Vec<u8>>,
    pub(super) body: Vec<u8>,
}

/// What a receiver answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Seconds that it asks us to wait.
    pub(super) retry_after: Option<u64>,
    /// The first KiB of the body, as text.
    pub(super) text: String,
}

/// Sends once. A failure is a sentence for the log of deliveries.
pub(super) async fn send(message: Message, egress: &Egress) -> Result<Answer, String> {
    let end = Instant::now() + TIME;
    let url = egress.read(&message.url).map_err(|why| format!("the address {why}"))?;
    timeout_at(end, converse(&url, message, egress, end)).await.unwrap_or_else(|_| Err("no answer within 10 s".into()))
}

async fn converse(url: &Url, message: Message, egress: &Egress, end: Instant) -> Result<Answer, String> {
    let mut failure = String::new();
    let mut stream = None;
    for address in egress.resolve(url).await? {
        // One address that swallows packets must not use up the time of all.
        match timeout(TIME / 2, TcpStream::connect(address)).await {
            Ok(Ok(connected)) => {
                stream = Some(connected);
                break;
            }
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                failure = format!("{address} refused the connection");
            }
            Ok(Err(_)) => failure = format!("{address} cannot be reached"),
            Err(_) => failure = format!("{address} did not answer the call"),
        }
    }
    let stream = stream.ok_or(failure)?;
    let _ = stream.set_nodelay(true);
    if url.scheme() == "http" {
        return exchange(stream, url, message, end).await;
    }
    exchange(secure(stream, url, Arc::clone(&TLS)).await?, url, message, end).await
}

static TLS: LazyLock<Arc<ClientConfig>> =
    LazyLock::new(|| trusting(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()));

fn trusting(roots: RootCertStore) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the usual versions");
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

async fn secure(stream: TcpStream, url: &Url, config: Arc<ClientConfig>) -> Result<TlsStream<TcpStream>, String> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| "the address has a host that no certificate can name".to_owned())?;
    TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        if matches!(cause, Some(rustls::Error::InvalidCertificate(_))) {
            format!("the certificate is not valid for {host}, has ended, or is of no known authority")
        } else {
            "there is no TLS at this address and port, or none that is understood".to_owned()
        }
    })
}

async fn exchange<S>(stream: S, url: &Url, message: Message, end: Instant) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |_| "the connection broke before there was an answer".to_owned();
    let mut builder = http1::Builder::new();
    builder.max_buf_size(READ);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Dropped at the end of this function, also an early one: the connection ends with it.
    let mut task = JoinSet::new();
    task.spawn(connection);
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let request = Request::post(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header(header::HOST, format!("{}{port}", url.host_str().unwrap_or_default()))
        .header(header::USER_AGENT, concat!("Mandate/", env!("CARGO_PKG_VERSION")))
        .header(header::CONTENT_TYPE, "application/cloudevents+json; charset=utf-8")
        .header(header::CONNECTION, "close")
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", message.timestamp)
        .header("webhook-signature", signatures(&message.secrets, &message.id, message.timestamp, &message.body))
        .body(Full::new(Bytes::from(message.body)))
        .map_err(|_| "the address cannot be sent in a request".to_owned())?;
    let response = sender.send_request(request).await.map_err(|error| {
        if error.is_parse() || error.is_parse_too_large() { "the answer is not HTTP".to_owned() } else { broken(error) }
    })?;
    let (status, retry_after) = (response.status(), retry_after(response.headers()));
    let mut body = response.into_body();
    let mut text = Vec::new();
    let mut read = 0;
    // With the head the receiver has said what it has to say; a body that is large, slow or broken is only not read to its end.
    while read < READ
        && let Ok(Some(Ok(frame))) = timeout_at(end - Duration::from_millis(200), body.frame()).await
    {
        let data = frame.into_data().unwrap_or_default();
        read += data.len();
        text.extend(data.iter().take(KEPT - text.len()));
    }
    // PostgreSQL cannot store U+0000.
    Ok(Answer { status, retry_after, text: String::from_utf8_lossy(&text).replace('\0', "\u{fffd}") })
}

/// The header `Retry-After`, in seconds; the form with a date is left alone.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{ServerConfig, pki_types::PrivateKeyDer},
    };

    use super::*;

    /// A server for one connection, with a certificate for `localhost`; its address, and who trusts it.
    async fn server() -> (Url, Arc<ClientConfig>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            stream.shutdown().await.unwrap();
        });
        (Url::parse(&format!("https://localhost:{port}/x")).unwrap(), trusting(roots))
    }

    fn message(url: &Url) -> Message {
        Message { url: url.to_string(), id: "1".into(), timestamp: 1, secrets: vec![vec![1; 32]], body: b"{}".to_vec() }
    }

    async fn call(url: &Url) -> TcpStream {
        TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.unwrap()
    }

    #[tokio::test]
    async fn a_receiver_is_known_by_its_certificate() {
        let (url, trusted) = server().await;
        let stream = secure(call(&url).await, &url, trusted).await.unwrap();
        let answer = exchange(stream, &url, message(&url), Instant::now() + TIME).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (202, "ok"));
    }

    #[tokio::test]
    async fn a_certificate_of_nobody_or_for_another_name_is_refused() {
        let (url, _) = server().await;
        let egress = Egress::from(vec!["localhost".parse().unwrap()]);
        let why = send(message(&url), &egress).await.err().unwrap();
        assert!(why.starts_with("the certificate is not valid for localhost"), "{why}");
        let (url, trusted) = server().await;
        let other = Url::parse("https://receiver.example/").unwrap();
        let why = secure(call(&url).await, &other, trusted).await.err().unwrap();
        assert!(why.starts_with("the certificate is not valid for receiver.example"), "{why}");
    }
}
