//! What everybody may read as often as they like: made once, and given out in the coding and to the client that needs it.

use std::io::Read as _;

use http_body_util::BodyExt as _;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::support::{database, service, service_changed};

const PUBLISHED: [&str; 2] = ["/openapi.json", "/schemas/plan.json"];

#[tokio::test]
async fn what_is_published_has_a_tag_and_is_not_sent_twice() {
    let client = service().await.as_nobody();
    for path in PUBLISHED {
        let first = client.get(path).expect(200).await;
        let tag = first.header("etag");
        assert_eq!(first.header("vary"), "accept-encoding");
        let again = client.get(path).header("if-none-match", &tag).expect(304).await;
        assert_eq!((again.text.as_str(), again.header("etag")), ("", tag.clone()));
        let head = client.call("HEAD", path).expect(200).await;
        assert_eq!((head.text.as_str(), head.header("etag")), ("", tag));
        assert_eq!(head.header("content-length"), first.text.len().to_string());
    }
}

#[tokio::test]
async fn what_is_published_is_compressed_for_who_takes_that() {
    let client = service().await.as_nobody();
    for path in PUBLISHED {
        let plain = client.get(path).expect(200).await.text;
        let packed = client.get(path).header("accept-encoding", "br, gzip;q=0.8").open().await;
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        let packed = packed.into_body().collect().await.unwrap().to_bytes();
        assert!(packed.len() * 5 < plain.len(), "{} of {}", packed.len(), plain.len());
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, plain);
        let refused = client.get(path).header("accept-encoding", "gzip;q=0").expect(200).await;
        assert!(!refused.headers.contains_key("content-encoding"));
    }
}

#[test]
fn invented_methods_make_no_series_of_their_own() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let text = metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let client = service_changed(database().await, |mut app| {
                app.metrics = Some(handle);
                app
            });
            let client = client.await.as_nobody();
            for method in ["AA", "AB", "BREW", "TRACE", "PROPFIND", "get"] {
                for path in ["/v1/entities", "/openapi.json", "/nowhere", "/v1/entities/1", "/metrics"] {
                    client.call(method, path).send().await;
                }
            }
            client.get("/v1/entities").expect(401).await;
            client.get("/metrics").expect(200).await.text
        })
    });
    let mut methods: Vec<&str> =
        text.lines().filter_map(|line| Some(line.split_once("method=\"")?.1.split_once('"')?.0)).collect();
    methods.sort_unstable();
    methods.dedup();
    assert_eq!(methods, ["GET", "other"], "{text}");
}
