//! The requests that are answered: they are meant for this server, and no page of another site made a browser send
//! them.
//!
//! A page may name any host of its own, have that name resolved to the loopback, and then read the answers (DNS
//! rebinding); the `Host` header shows it. It may also send requests without reading the answers; `Origin` and
//! `Sec-Fetch-Site` show it (Fetch Metadata Request Headers, W3C).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::{
    HeaderMap, StatusCode,
    header::{HOST, ORIGIN},
    request::Parts,
    uri::Authority,
};
use seskey::Region;

use super::Refused;

/// The host names of this server.
pub(super) struct Hosts {
    /// The names that the user gave it, in lower case.
    names: Vec<String>,
}

impl Hosts {
    pub(super) fn new(names: &[String]) -> Self {
        Self { names: names.iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// Checks whether a request that came in at an address is to be answered.
    pub(super) fn check(
        &self,
        request: &Parts,
        reached: SocketAddr,
        is_tls: bool,
    ) -> Result<(), Refused> {
        let host = only(&request.headers, HOST.as_str())
            .and_then(|host| host.parse::<Authority>().ok())
            .ok_or(Refused(StatusCode::BAD_REQUEST, "one Host header is needed"))?;
        if ![Some(&host), request.uri.authority()]
            .into_iter()
            .flatten()
            .all(|authority| self.is_own(authority, reached.ip()))
        {
            return Err(Refused(
                StatusCode::MISDIRECTED_REQUEST,
                "this server is not known by that host name; --host-name makes it known",
            ));
        }
        let scheme = if is_tls { "https" } else { "http" };
        match is_same_origin(&request.headers, &format!("{scheme}://{host}")) {
            true => Ok(()),
            false => {
                Err(Refused(StatusCode::FORBIDDEN, "another site's page has no business here"))
            }
        }
    }

    fn is_own(&self, authority: &Authority, reached: IpAddr) -> bool {
        if authority.as_str().contains('@') {
            return false;
        }
        let host = authority.host().to_ascii_lowercase();
        let own = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into(), reached.to_canonical()];
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(ip) => own.contains(&ip) || self.names.contains(&ip.to_string()),
            Err(_) => host == "localhost" || self.names.contains(&host) || is_aws_endpoint(&host),
        }
    }
}

/// Whether a host is an endpoint of AWS: DNS may lead a client here under the name of the endpoint that it means.
/// Source: AWS General Reference, "Service endpoints".
fn is_aws_endpoint(host: &str) -> bool {
    let Some((service, rest)) = host.split_once('.') else { return false };
    let Some(region) = DOMAINS.iter().find_map(|domain| rest.strip_suffix(domain)) else {
        return false;
    };
    match region.strip_suffix('.') {
        None => region.is_empty() && ["iam", "sts"].contains(&service),
        Some(region) => {
            ["iam", "sts", "email", "sns"].contains(&service)
                && (region == "us-gov" || Region::parse_unknown(region).is_ok())
        }
    }
}

/// Whether a request is of this origin. Browsers send both headers with every request that a page of another site makes
/// them send; other clients send neither.
fn is_same_origin(headers: &HeaderMap, origin: &str) -> bool {
    headers
        .get_all(ORIGIN)
        .iter()
        .all(|value| value.as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
        && headers
            .get_all("sec-fetch-site")
            .iter()
            .all(|value| [&b"none"[..], b"same-origin"].contains(&value.as_bytes()))
}

/// Returns the value of a header that occurs once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

const DOMAINS: [&str; 3] = ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names() {
        let names = ["SES.internal", "192.0.2.9", "2001:db8::9"].map(str::to_owned);
        let hosts = Hosts::new(&names);
        let is_own =
            |host: &str| hosts.is_own(&host.parse().unwrap(), "192.0.2.1".parse().unwrap());
        for own in [
            "localhost",
            "LocalHost:4566",
            "127.0.0.1",
            "127.0.0.1:80",
            "[::1]:4566",
            "192.0.2.1:4566",
            "192.0.2.9",
            "[2001:db8::9]:4566",
            "ses.internal:4566",
            "iam.amazonaws.com",
            "sts.amazonaws.com",
            "sts.eu-west-1.amazonaws.com:443",
            "email.us-east-1.amazonaws.com",
            "sns.us-east-1.amazonaws.com",
            "email.cn-north-1.amazonaws.com.cn",
            "iam.us-gov.amazonaws.com",
        ] {
            assert!(is_own(own), "{own}");
        }
        for other in [
            "evil.example",
            "localhost.evil.example",
            "evil.localhost",
            "127.0.0.2",
            "127.1",
            "0.0.0.0",
            "192.0.2.2",
            "[::]",
            "localhost@evil.example",
            "evil@localhost",
            "internal",
            "a.ses.internal",
            "amazonaws.com",
            "s3.amazonaws.com",
            "email.amazonaws.com",
            "email.evil.amazonaws.com",
            "iam.amazonaws.com.evil.example",
            "iam.evilamazonaws.com",
            "sts.a.eu-west-1.amazonaws.com",
        ] {
            assert!(!is_own(other), "{other}");
        }
    }
}
