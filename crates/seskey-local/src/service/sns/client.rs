//! Requests to subscribers, over HTTP and HTTPS.

use std::{error::Error, iter::successors};

use super::post::Post;
use crate::tls::{self, CertificateError};
use axum::{
    body::{Body, to_bytes},
    http::Request,
    response::Response,
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as HyperClient, connect::HttpConnector},
    rt::TokioExecutor,
};

/// A client with one connection for each request, which follows no redirect.
#[derive(Clone)]
pub(super) struct Client(HyperClient<HttpsConnector<HttpConnector>, Body>);

impl Client {
    /// Makes a client that trusts this authority besides those of the system.
    pub(super) fn new(authority_pem: &str) -> Result<Self, CertificateError> {
        let config = tls::client_config(authority_pem)?;
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1();
        let client = HyperClient::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(connector.build());
        Ok(Self(client))
    }

    /// Sends a post. Returns the status of the answer, or the reason why there is none.
    pub(super) async fn send(&self, post: &Post) -> Result<u16, String> {
        let mut answer = self.request(post.request(None)).await?;
        if let Some(login) = post.login(&answer) {
            answer = self.request(post.request(Some(login))).await?;
        }
        let status = answer.status().as_u16();
        // lets the endpoint write its answer to the end
        let _ = to_bytes(answer.into_body(), MAX_ANSWER).await;
        Ok(status)
    }

    async fn request(&self, request: Option<Request<Body>>) -> Result<Response, String> {
        let request = request.ok_or("the URL leads nowhere")?;
        let answer = self.0.request(request).await.map_err(|error| {
            let reasons = successors(Some(&error as &dyn Error), |error| (*error).source());
            reasons.map(ToString::to_string).collect::<Vec<_>>().join(": ")
        })?;
        Ok(answer.map(Body::new))
    }
}

/// The most bytes that are read of an answer.
const MAX_ANSWER: usize = 64 * 1024;
