//! A receiver of webhooks on this machine: it keeps what it gets, and answers as the test says.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::{net::TcpListener, sync::watch};

use super::Client;

/// What a receiver got.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

type Manners = Arc<dyn Fn(&Got) -> BoxFuture<'static, Response> + Send + Sync>;

/// A running receiver.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    got: Arc<watch::Sender<Vec<Got>>>,
    manners: Arc<Mutex<Manners>>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The name of the entity that the change left.
    pub(crate) fn name(&self) -> String {
        self.event()["data"]["after"]["name"]["en"].as_str().unwrap_or("gone").to_owned()
    }

    /// How many of the signatures are made with this secret, computed here by the definition of HMAC (RFC 2104).
    pub(crate) fn signed_by(&self, secret: &str) -> usize {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        assert_eq!(key.len(), 32);
        let pad = |with: u8| (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect::<Vec<u8>>();
        let content = format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp"));
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(content).chain_update(&self.body).finalize();
        let mac = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
        let wanted = format!("v1,{}", STANDARD.encode(mac));
        self.header("webhook-signature").split(' ').filter(|each| *each == wanted).count()
    }
}

/// Answers with a status and no more.
pub(crate) fn always(status: u16) -> impl Fn(&Got) -> BoxFuture<'static, Response> + Send + Sync {
    move |_| Box::pin(async move { StatusCode::from_u16(status).unwrap().into_response() })
}

impl Receiver {
    /// Starts one that takes everything.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?a=b", listener.local_addr().unwrap());
        let receiver = Self {
            url,
            got: Arc::new(watch::Sender::new(Vec::new())),
            manners: Arc::new(Mutex::new(Arc::new(always(204)))),
        };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    /// From now on it answers so.
    pub(crate) fn answer(&self, manners: impl Fn(&Got) -> BoxFuture<'static, Response> + Send + Sync + 'static) {
        *self.manners.lock().unwrap() = Arc::new(manners);
    }

    /// All that it got, once it is at least so much.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Got> {
        let mut got = self.got.subscribe();
        let enough = tokio::time::timeout(Duration::from_mins(1), got.wait_for(|got| got.len() >= count)).await;
        let Ok(got) = enough else { panic!("only {} of {count} came", self.count()) };
        got.unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.got.borrow().len()
    }

    /// Makes a webhook that leads here, with these fields besides.
    pub(crate) async fn subscribe(&self, client: &Client, fields: Value) -> Value {
        let mut body = json!({"url": self.url});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        client.create("webhooks", body).await
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    let got = Got { headers, body };
    let manners = Arc::clone(&*receiver.manners.lock().unwrap());
    let answer = manners(&got);
    receiver.got.send_modify(|all| all.push(got));
    answer.await
}

/// Asks until the answer is as wanted.
pub(crate) async fn until(client: &Client, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let asked = async {
        loop {
            let answer = client.get(path).expect(200).await.json();
            if wanted(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let Ok(answer) = tokio::time::timeout(Duration::from_mins(1), asked).await else {
        panic!("{path} stays {}", client.get(path).send().await.text)
    };
    answer
}

/// Asks until so many deliveries stand so.
pub(crate) async fn deliveries(client: &Client, status: &str, count: usize) -> Vec<Value> {
    let path = format!("/v1/deliveries?status={status}&limit=200");
    let page = until(client, &path, |page| page["items"].as_array().unwrap().len() == count).await;
    page["items"].as_array().unwrap().clone()
}
