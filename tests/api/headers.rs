//! What browsers are told: what they may do with answers, and which other sites may ask.

use std::{collections::BTreeSet, net::SocketAddr};

use axum::{
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request},
};
use clap::Parser as _;
use http_body_util::BodyExt as _;
use mandate::cli::config::Cli;
use regex::Regex;
use serde_json::json;
use tower::ServiceExt as _;

use crate::support::{Client, client::Reply, database, edge, service, service_changed};

#[track_caller]
fn assert_secured(headers: &HeaderMap, path: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(headers.get(name).unwrap_or_else(|| panic!("{path} lacks {name}")), value, "{path}");
    }
    assert!(headers.contains_key("permissions-policy"), "{path}");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"), "{path}");
    assert!(!policy.contains("unsafe"), "{path}");
    let is_docs = path == "/docs" || path.starts_with("/docs/");
    assert_eq!(policy.contains("script-src"), is_docs, "{path}: {policy}");
}

#[tokio::test]
async fn every_answer_tells_browsers_what_not_to_do_with_it() {
    let client = service().await;
    for (path, status) in [
        ("/", 200),
        ("/docs", 303),
        ("/docs/", 200),
        ("/docs/nothing", 404),
        ("/docsx", 404),
        ("/openapi.json", 200),
        ("/livez", 200),
        ("/metrics", 200),
        ("/problems/stale", 200),
        ("/v1/entities", 200),
        ("/v1/entities?x=1", 400),
        ("/v1/nothing", 404),
    ] {
        let reply = client.get(path).send().await;
        assert_eq!(reply.status.as_u16(), status, "{path}: {}", reply.text);
        assert_secured(&reply.headers, path);
    }
    assert_secured(&client.as_nobody().get("/v1/entities").expect(401).await.headers, "/v1/entities");
    assert_secured(&client.delete("/v1/entities").expect(405).await.headers, "/v1/entities");
    let large =
        client.call("POST", "/v1/entities").header("content-type", "application/json").body(vec![b' '; 2 << 20]);
    assert_secured(&large.expect(413).await.headers, "/v1/entities");
}

async fn fetch(client: &Client, path: &str) -> (HeaderMap, Bytes) {
    let answer = client.get(path).open().await;
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    let (parts, body) = answer.into_parts();
    (parts.headers, body.collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn the_documentation_needs_no_more_than_its_policy_allows() {
    let client = service().await;
    let page = client.get("/docs/").expect(200).await.text;
    let mut parts = BTreeSet::new();
    let source = Regex::new("(src|href)=\"(\\./)?([^\"/:]+)\"").unwrap();
    for tag in Regex::new("<(script|link|img|iframe|style)[^>]*>").unwrap().captures_iter(&page) {
        assert!(["script", "link"].contains(&&tag[1]), "{}", &tag[0]);
        let part = source.captures(&tag[0]).unwrap_or_else(|| panic!("{} comes from elsewhere", &tag[0]));
        parts.insert(part[3].to_owned());
    }
    assert!(parts.len() > 5, "{parts:?}");
    let words = Regex::new("<script[^>]*>([^<]*)</script>").unwrap();
    assert!(words.captures_iter(&page).all(|script| script[1].trim().is_empty()), "a script is written into {page}");
    assert!(!Regex::new(" (on[a-z]+|style)=").unwrap().is_match(&page), "{page}");
    let sources = Regex::new("url\\(\"?([a-z]+):").unwrap();
    for part in &parts {
        let (headers, body) = fetch(&client, &format!("/docs/{part}")).await;
        let wanted = match part.rsplit('.').next() {
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            _ => "image/png",
        };
        // With `nosniff` a script or a style of another kind would not be taken.
        let kind = headers["content-type"].to_str().unwrap();
        assert_eq!(kind.split(';').next().unwrap(), wanted, "{part}");
        assert_secured(&headers, "/docs/");
        assert!(!body.is_empty(), "{part}");
        if wanted == "text/css" && !headers.contains_key("content-encoding") {
            let style = std::str::from_utf8(&body).unwrap();
            assert!(sources.captures_iter(style).all(|source| &source[1] == "data"), "{part} loads from elsewhere");
        }
    }
    // It asks for this service's document, and sends it to nobody.
    let script = client.get("/docs/swagger-initializer.js").expect(200).await.text;
    assert!(script.contains("\"url\": \"/openapi.json\"") && script.contains("\"validatorUrl\": \"none\""), "{script}");
}

/// An answer to a request from 10.0.0.1, with this header.
async fn through_a_proxy(client: &Client, name: &str, value: &str) -> HeaderMap {
    let request = Request::get("/livez").header(name, value);
    let request = request.extension(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 4711))));
    client.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().headers().clone()
}

#[tokio::test]
async fn https_is_demanded_where_a_trusted_proxy_says_that_there_is_https() {
    let client =
        service_changed(database().await, |app| app.with_edge(edge(&["--trusted-proxies", "10.0.0.0/8"]))).await;
    let demand = "strict-transport-security";
    for (name, value) in [("x-forwarded-proto", "https"), ("forwarded", "for=192.0.2.1;proto=https")] {
        let headers = through_a_proxy(&client, name, value).await;
        assert_eq!(headers.get(demand).unwrap(), "max-age=31536000", "{name}");
    }
    assert!(!through_a_proxy(&client, "x-forwarded-proto", "http").await.contains_key(demand));
    let trusting_nobody = service().await;
    assert!(!through_a_proxy(&trusting_nobody, "x-forwarded-proto", "https").await.contains_key(demand));
}

const SITE: &str = "https://dashboard.example.org";
const MAY_SEND: &str =
    "authorization,content-type,if-match,if-none-match,idempotency-key,last-event-id,mandate-reason,x-request-id";
const MAY_READ: &str =
    "etag,link,location,retry-after,idempotency-replayed,mandate-as-of,mandate-receipt,mandate-withheld,x-request-id";

fn allowed(reply: &Reply) -> Option<&str> {
    reply.headers.get("access-control-allow-origin").map(|origin| origin.to_str().unwrap())
}

#[tokio::test]
async fn pages_of_other_sites_may_ask_nothing_unless_they_are_named() {
    let client = service().await;
    let answer = client.get("/v1/entities").header("origin", SITE).expect(200).await;
    assert_eq!(allowed(&answer), None);
    let before = client.call("OPTIONS", "/v1/entities").header("origin", SITE);
    let before = before.header("access-control-request-method", "GET").expect(405).await;
    assert_eq!(allowed(&before), None);
}

#[tokio::test]
async fn pages_of_a_named_site_may_use_the_api() {
    let words = ["--cors-origins", "https://dashboard.example.org, http://localhost:3000"];
    let client = service_changed(database().await, |app| app.with_edge(edge(&words))).await;
    let before = |origin: &str| {
        client
            .as_nobody()
            .call("OPTIONS", "/v1/entities/external:x")
            .header("origin", origin)
            .header("access-control-request-method", "PATCH")
            .header("access-control-request-headers", "authorization,if-match")
    };
    for site in [SITE, "http://localhost:3000"] {
        let reply = before(site).expect(200).await;
        assert_eq!(allowed(&reply), Some(site));
        assert_eq!(reply.header("access-control-allow-methods"), "GET,POST,PUT,PATCH,DELETE");
        assert_eq!(reply.header("access-control-allow-headers"), MAY_SEND);
        assert_eq!(reply.header("access-control-max-age"), "3600");
        assert!(!reply.headers.contains_key("access-control-allow-credentials"));
        assert_secured(&reply.headers, "/v1");
    }
    for other in ["https://dashboard.example.org.evil.example", "http://dashboard.example.org", "null"] {
        assert_eq!(allowed(&before(other).expect(200).await), None, "{other}");
    }
    let made = client.post("/v1/entities", json!({"name": "Agency", "kind": "agency"})).header("origin", SITE);
    let made = made.expect(201).await;
    assert_eq!(allowed(&made), Some(SITE));
    assert_eq!(made.header("access-control-expose-headers"), MAY_READ);
    // A page must be able to read why it was refused.
    for (call, status) in [
        (client.as_nobody().get("/v1/entities"), 401),
        (client.get("/v1/nothing"), 404),
        (client.post("/v1/entities", json!({})), 422),
    ] {
        assert_eq!(allowed(&call.header("origin", SITE).expect(status).await), Some(SITE), "{status}");
    }
    let lists = client.get("/v1/entities").header("origin", SITE).expect(200).await;
    let varies: Vec<_> = lists.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(varies.join(",").contains("origin"), "{varies:?}");
    assert_eq!(allowed(&client.get("/v1/entities").expect(200).await), None);
}

#[test]
fn settings_of_the_edge_are_checked_at_the_start() {
    let parse = |option: &str, value: &str| Cli::try_parse_from(["mandate", "serve", option, value]);
    for word in ["*", "null", "dashboard.example.org", "https://x.example/", "https://x.example/a", "HTTPS://x.example"]
        .into_iter()
        .chain([
            "https://X.example",
            "https://x.example:443",
            "ftp://x.example",
            "https://*.x.example",
            "https://u@x.example",
            "",
        ])
    {
        let error = parse("--cors-origins", word).expect_err(word).to_string();
        assert!(error.contains("MANDATE_CORS_ORIGINS are origins between commas, such as https://"), "{word}: {error}");
    }
    for (word, words) in [
        ("10.0.0.0/33", "MANDATE_TRUSTED_PROXIES are addresses and networks between commas, such as 10.0.0.5"),
        ("proxy.internal", "such as 10.0.0.5"),
        ("0.0.0.0/0", "would trust everybody"),
        ("::/0", "would trust everybody"),
    ] {
        let error = parse("--trusted-proxies", word).expect_err(word).to_string();
        assert!(error.contains(words), "{word}: {error}");
    }
    assert!(parse("--rate", "-1").is_err() && parse("--burst", "0").is_err());
}

#[test]
fn the_doctor_shows_the_settings_of_the_edge() {
    let shown = |words: &[&str]| {
        Cli::try_parse_from(["mandate", "doctor"].iter().chain(words)).unwrap().settings.edge.to_string()
    };
    insta::assert_snapshot!(shown(&[]), @"100 requests a second of one key, 1000 at once, 20 failed logins a minute from one address, trusted proxies none, other sites (CORS) none");
    let words =
        ["--rate", "0", "--login-failures", "0", "--trusted-proxies", "10.0.0.5,fd00::/8", "--cors-origins", SITE];
    insta::assert_snapshot!(shown(&words), @"requests without limit, failed logins without limit, trusted proxies 10.0.0.5/32,fd00::/8, other sites (CORS) https://dashboard.example.org");
}
