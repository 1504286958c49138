//! Why the local SES or the pages did not start, in sentences.

use std::{io, net::SocketAddr, path::Path};

use seskey_local::{CertificateError, JournalError, refusal::ApiRefusal, server::StartError};

use super::{Failure, reason};

pub(crate) fn start(error: &StartError) -> Failure {
    match error {
        StartError::Listen { address, source } => Failure::new(
            format!("cannot listen on {address}: {}", reason(source)),
            "another process may listen there; --http, --smtp and --smtps take other addresses, and port 0 any free one",
        ),
        StartError::Journal(error) => journal(error),
        StartError::TooManyIdentities(_) => Failure::new(
            "there are too many identities",
            "a region has 10,000 at most; a domain stands for all addresses in it",
        ),
        StartError::SnsEndpoint(url) => Failure::usage(
            format!("$AWS_ENDPOINT_URL_SNS: {url:?} is no URL"),
            "such as http://127.0.0.1:5000",
        ),
        StartError::Thread(source) => Failure::new(
            format!("cannot start a thread: {}", reason(source)),
            "`ulimit -u` and `ulimit -n` say how many threads and open files you may have",
        ),
        other => Failure::new(other.to_string(), "this is a fault of the program"),
    }
}

/// Explains why the pages cannot be served at an address.
pub(crate) fn listen(address: SocketAddr, error: &io::Error) -> Failure {
    Failure::new(
        format!("cannot listen on {address}: {}", reason(error)),
        "another process may listen there; --listen takes another address, and port 0 any free one",
    )
}

/// Explains why the files of a certificate cannot be used.
pub(crate) fn tls(error: &CertificateError, certificate: &Path, key: &Path) -> Failure {
    Failure::new(
        format!(
            "cannot serve TLS by {} and {}: {error}: {}",
            certificate.display(),
            key.display(),
            std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
        ),
        "both are PEM, and the key is that of the first certificate",
    )
}

pub(crate) fn refused(refusal: &ApiRefusal) -> Failure {
    Failure::new(
        format!("cannot make the user that sends: {refusal}"),
        "--user takes another name; seskey delete takes away keys and users that are left",
    )
}

fn journal(error: &JournalError) -> Failure {
    use JournalError as E;
    let hint = match error {
        E::File { path, source } => return Failure::file("use", path, source),
        E::Database { path, source } => {
            return Failure::new(
                format!("cannot use {}: {source}", path.display()),
                "this is what SQLite says; check the disk, and who owns the file",
            );
        }
        E::NoAccount { path, source } => {
            return Failure::new(
                format!("{} is damaged: {source}", path.display()),
                "start with a backup, or with another directory",
            );
        }
        E::InUse { .. } => "stop the other one, or take another directory",
        E::Foreign { .. } => "--data takes a directory of its own",
        E::Newer { .. } => "use the newer seskey that wrote it",
        E::BadRow { .. } => "start with a backup, or with another directory",
        E::OtherAccount { .. } => "leave --account away, or take another directory",
        E::OtherPartition { .. } => {
            "leave the region away (AWS_REGION counts too), or take another directory"
        }
        E::OtherRootKey { .. } => "leave --root-access-key-id away, or take another directory",
        _ => "this is what the system says",
    };
    Failure::new(error.to_string(), hint)
}
