//! The client side: a request that is made here, and signed. Source: IAM User Guide, "Create a signed AWS API request".

use jiff::Timestamp;

use super::{HttpRequest, Scope, canonical_request, hex, sign, string_to_sign, time};

/// The access key that signs a request, and the scope.
pub(crate) struct SignWith<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

impl SignWith<'_> {
    /// Returns the headers `x-amz-date` and `authorization` of a request, which has the header `host`.
    pub(crate) fn headers(
        &self,
        request: &HttpRequest<'_>,
        now: Timestamp,
    ) -> [(&'static str, String); 2] {
        let date = time::format(now);
        let scope = Scope {
            date: date[..8].to_owned(),
            region: self.region.to_owned(),
            service: self.service.to_owned(),
        };
        let headers = [request.headers, &[("x-amz-date", date.as_str())]].concat();
        let mut names: Vec<String> =
            headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        let canonical = canonical_request(&HttpRequest { headers: &headers, ..*request }, &names);
        let signature = sign(self.secret, &scope, &string_to_sign(&date, &scope, &canonical));
        let signature = hex(&signature);
        let Scope { date: day, region, service } = &scope;
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{day}/{region}/{service}/aws4_request, SignedHeaders={}, \
             Signature={signature}",
            self.access_key_id,
            names.join(";"),
        );
        [("x-amz-date", date), ("authorization", authorization)]
    }
}

#[cfg(test)]
mod tests {
    use seskey::SecretAccessKey;

    use super::*;
    use crate::sigv4::{SigningKey, verify};

    #[test]
    fn what_is_signed_here_is_right() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let with = SignWith {
            access_key_id: "AKIAIOSFODNN7EXAMPLE",
            secret,
            region: "eu-west-1",
            service: "sns",
        };
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let headers = [("host", "localhost:1"), ("content-type", "text/plain")];
        let request = HttpRequest {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body: b"Action=Publish",
        };
        let more = with.headers(&request, now);
        let headers: Vec<(&str, &str)> = headers
            .into_iter()
            .chain(more.iter().map(|(name, value)| (*name, value.as_str())))
            .collect();
        let key = |_: &str| {
            let secret = SecretAccessKey::parse(secret).ok()?;
            Some(SigningKey { secret, session_token: None })
        };
        let request = HttpRequest { headers: &headers, ..request };
        let signer = verify(&request, |_| Ok(()), key, [now, now]).unwrap();
        assert_eq!(
            (signer.scope.region.as_str(), signer.scope.service.as_str()),
            ("eu-west-1", "sns")
        );
    }
}
