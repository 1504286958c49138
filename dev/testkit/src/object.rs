//! One object of Amazon S3, by its path. The server is as strict about the region of a request as S3, and answers for
//! an object that does not exist as S3 does to a caller who may list the bucket.
//!
//! Sources: S3 API, `GetObject`, "Error responses"; S3 User Guide, "Making requests using the REST API".

use std::net::SocketAddr;

use crate::proxy;

/// Serves the object `/BUCKET/KEY` of a bucket in this region, and returns the address.
pub fn start(region: &'static str, path: &'static str, text: String) -> SocketAddr {
    // there is no server behind it
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    proxy::start(nowhere, move |request, _| {
        let head = String::from_utf8_lossy(request).to_string();
        let header = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(": "))
                .find_map(|(is, value)| is.eq_ignore_ascii_case(name).then(|| value.to_owned()))
        };
        let asked = head.strip_prefix("GET ")?.split(' ').next()?;
        assert_eq!(header("x-amz-content-sha256").as_deref(), Some(NO_BODY));
        let scope = header("authorization")?;
        let refused = |status, code, message| {
            answer(
                status,
                region,
                &format!(
                    "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
                ),
            )
        };
        let to = header("range")?.strip_prefix("bytes=0-")?.parse::<usize>().ok()?;
        Some(match asked {
            _ if !scope.contains(&format!("/{region}/s3/aws4_request")) => refused(
                301,
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all \
                 future requests to this endpoint.",
            ),
            asked if asked == path => answer(206, region, &text[..text.len().min(to + 1)]),
            "/denied/seskey.toml" => refused(403, "AccessDenied", "Access Denied"),
            _ => refused(404, "NoSuchKey", "The specified key does not exist."),
        })
    })
}

/// The SHA-256 of an empty body.
const NO_BODY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn answer(status: u16, region: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} x\r\nContent-Type: application/xml\r\nx-amz-bucket-region: {region}\r\n\
         x-amz-request-id: 4442587FB7D0A2F9\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
