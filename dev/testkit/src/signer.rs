//! AWS's own signer.

use std::time::SystemTime;

use aws_credential_types::Credentials;
pub use aws_sigv4::http_request::{SignatureLocation, SigningInstructions, SigningSettings};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, sign},
    sign::v4::SigningParams,
};

/// The key, the scope and the time of a signature.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// The access key ID and the secret access key.
    pub key: [&'a str; 2],
    /// The session token of temporary credentials.
    pub token: Option<&'a str>,
    /// The name of the service in the scope of the signature.
    pub service: &'a str,
    /// The region in the scope of the signature.
    pub region: &'a str,
    /// The time of the signature.
    pub time: SystemTime,
}

impl Signer<'_> {
    /// Signs a request, and returns the additions to it.
    pub fn sign<'a>(
        &self,
        settings: SigningSettings,
        method: &'a str,
        url: String,
        headers: impl Iterator<Item = (&'a str, &'a str)>,
        body: &'a [u8],
    ) -> SigningInstructions {
        let [id, secret] = self.key;
        let token = self.token.map(str::to_owned);
        let identity = Credentials::new(id, secret, token, None, "test").into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(self.time)
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let body = SignableBody::Bytes(body);
        let request = SignableRequest::new(method, url, headers, body).unwrap();
        sign(request, &params).unwrap().into_parts().0
    }
}
