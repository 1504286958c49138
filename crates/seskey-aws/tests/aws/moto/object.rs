//! An object of S3, with names by AWS's own rules.

use seskey_aws::{Cause, object::ObjectError};
use testkit::proxy;

use super::stage::account;

/// Puts objects into a new bucket, without AWS's client; moto asks for no signature.
fn put(bucket: &str, objects: &[(&str, &[u8])]) {
    let url = std::env::var("AWS_ENDPOINT_URL_S3").or_else(|_| std::env::var("AWS_ENDPOINT_URL"));
    let url = url.unwrap();
    let host = url.strip_prefix("http://").unwrap();
    let send = |path: &str, body: &[u8]| {
        let length = body.len();
        let mut request = format!(
            "PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/s3/aws4_request\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        let answer = proxy::send(host.parse().unwrap(), &request).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    };
    send(&format!("/{bucket}"), &[]);
    objects.iter().for_each(|(key, body)| send(&format!("/{bucket}/{key}"), body));
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn is_read_whole_whatever_its_key() {
    let bucket = format!("seskey.config-{}", std::process::id());
    let keys = ["seskey.toml", "a/b%20c%2B%C3%BC=1.toml", "empty", "latin"];
    let bodies = ["x = 1\n".as_bytes(), b"y = 2\n", b"", b"\xfc"];
    put(&bucket, &keys.into_iter().zip(bodies).collect::<Vec<_>>());
    let account = account().await;
    let read = async |key| account.object(&bucket, key).await;
    assert_eq!(read("seskey.toml").await.as_deref(), Ok("x = 1\n"));
    assert_eq!(read("a/b c+ü=1.toml").await.as_deref(), Ok("y = 2\n"));
    assert_eq!(read("empty").await.as_deref(), Ok(""));
    assert_eq!(read("latin").await, Err(ObjectError::NotText));
    for (bucket, key) in [(&*bucket, "gone"), ("seskey-gone", "seskey.toml")] {
        let error = account.object(bucket, key).await.unwrap_err();
        let ObjectError::Call(error) = &error else { panic!("{error:?}") };
        assert!(matches!(&error.cause, Cause::NoSuchEntity { .. }), "{error:?}");
        assert!(error.request_id.is_some() && !error.ambiguous, "{error:?}");
    }
}
