//! The canonical request. Source: IAM User Guide, "Create a signed AWS API request", step 1.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::{HttpRequest, presigned, signature::hash_hex};

/// Returns the canonical request, with these headers signed (lower case, in order). A header that the request lacks is
/// empty.
pub fn canonical_request(request: &HttpRequest<'_>, signed_headers: &[String]) -> String {
    let headers: String = signed_headers
        .iter()
        .map(|name| {
            let values: Vec<String> = request.header_values(name).map(folded).collect();
            format!("{name}:{}\n", values.join(","))
        })
        .collect();
    [
        request.method,
        &canonical_uri(request.path),
        &canonical_query(request.query),
        &headers,
        &signed_headers.join(";"),
        &hash_hex(request.body),
    ]
    .join("\n")
}

/// Returns the path without `.`, `..` and empty parts, each part encoded once more than on the wire.
fn canonical_uri(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let encoded: String =
        parts.iter().map(|part| format!("/{}", encode(part.as_bytes()))).collect();
    match path.ends_with('/') || encoded.is_empty() {
        true => encoded + "/",
        false => encoded,
    }
}

/// Returns the parameters except for the signature, each in the canonical encoding, in the order of their names and
/// values.
fn canonical_query(query: &str) -> String {
    let again = |text: &str| encode(&percent_decode_str(text).collect::<Vec<u8>>());
    let pairs = query.split('&').filter(|pair| !pair.is_empty() && !presigned::is_signature(pair));
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (again(name), again(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// Drops the blanks around a value; blanks inside, and the fold of a long header, become one blank.
fn folded(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, UNRESERVED).to_string()
}

/// All but letters, digits, `-`, `.`, `_` and `~` (RFC 3986, section 2.3).
pub(crate) const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (path, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/a/..", "/"),
            ("/../..", "/"),
            ("/a//b/./c", "/a/b/c"),
            ("/a b/", "/a%20b/"),
            ("/a%20b", "/a%2520b"),
            ("/-._~09AZaz", "/-._~09AZaz"),
        ] {
            assert_eq!(canonical_uri(path), canonical, "{path}");
        }
    }

    #[test]
    fn queries() {
        for (query, canonical) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1", "a=1&a=2"),
            ("a", "a="),
            ("a=x%2fy", "a=x%2Fy"),
            ("a=x/y", "a=x%2Fy"),
            ("a=1=2", "a=1%3D2"),
            ("a=+", "a=%2B"),
            ("a=%zz", "a=%25zz"),
            ("a=1&X-Amz%2DSignature=2&x-amz-signature=3", "a=1&x-amz-signature=3"),
        ] {
            assert_eq!(canonical_query(query), canonical, "{query}");
        }
    }
}
