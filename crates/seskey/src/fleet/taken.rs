//! The users and stores that are taken already.

use std::{
    collections::BTreeMap,
    path::{Component, PathBuf},
};

use super::{
    error::Fault,
    organization::EVERY_ACCOUNT,
    read::{Reader, Section},
};
use crate::{
    Region,
    store::{AwsSecret, Store, StoreKind},
    user::UserName,
};

/// The users and the stores so far, with their offsets.
#[derive(Default)]
pub(super) struct Taken {
    /// The users by lower-case name: IAM takes no two names that differ in case only. Source: IAM API, `CreateUser`.
    users: BTreeMap<String, Vec<(String, usize)>>,
    stores: Vec<(Place, usize)>,
}

impl Taken {
    pub(super) fn user(
        &mut self,
        reader: &mut Reader,
        section: &Section,
        account: &str,
        user: &UserName,
    ) {
        let at = section.at_value("user");
        let users = self.users.entry(user.as_str().to_ascii_lowercase()).or_default();
        match users.iter().find(|(other, _)| overlap(other, account)) {
            Some((_, first)) => {
                let first = reader.line(*first);
                reader.fault(at, "user", Fault::SameUser { first })
            }
            None => users.push((account.to_owned(), at)),
        }
    }

    pub(super) fn store(
        &mut self,
        reader: &mut Reader,
        at: usize,
        account: &str,
        region: Option<&Region>,
        store: &Store,
    ) {
        let place = Place::of(account, region, store);
        match self.stores.iter().find(|(other, _)| *other == place) {
            Some((_, first)) => {
                let first = reader.line(*first);
                reader.fault(at, "to", Fault::SameStore { first })
            }
            None => self.stores.push((place, at)),
        }
    }
}

/// A place, regardless of the form that is written to it.
#[derive(PartialEq)]
enum Place {
    File(PathBuf),
    SecretsManager(InAccount),
    Ssm(InAccount),
    Kubernetes { cluster: (Option<PathBuf>, Option<String>), secret: (String, String) },
    Exec(String),
}

/// A name in a region of an account; the region is absent for that of the account's profile.
struct InAccount {
    account: String,
    region: Option<String>,
    name: String,
}

impl PartialEq for InAccount {
    fn eq(&self, other: &Self) -> bool {
        overlap(&self.account, &other.account)
            && (&self.region, &self.name) == (&other.region, &other.name)
    }
}

/// Whether the two have an account in common.
fn overlap(one: &str, other: &str) -> bool {
    one == other || [one, other].contains(&EVERY_ACCOUNT)
}

impl Place {
    fn of(account: &str, region: Option<&Region>, store: &Store) -> Self {
        let in_account = |secret: &AwsSecret, resource, name: fn(&str) -> &str| {
            let arn = parts_of_arn(&secret.name, resource);
            let typed = secret.region.as_ref().or(region).map(ToString::to_string);
            InAccount {
                account: account.to_owned(),
                region: arn.map(|(region, _)| region.to_owned()).or(typed),
                name: arn.map_or(&*secret.name, |(_, id)| name(id)).to_owned(),
            }
        };
        match &store.kind {
            StoreKind::File { path } => {
                let is_step = |part: &Component<'_>| *part != Component::CurDir;
                Self::File(path.components().filter(is_step).collect())
            }
            StoreKind::SecretsManager(secret) => {
                Self::SecretsManager(in_account(secret, "secret:", without_suffix))
            }
            StoreKind::Ssm(secret) => {
                let mut place = in_account(secret, "parameter/", |id| id);
                // the ARN is the same with and without the slash
                place.name = place.name.trim_start_matches('/').to_owned();
                Self::Ssm(place)
            }
            StoreKind::Kubernetes(kubectl) => {
                let names = store.form.names();
                Self::Kubernetes {
                    cluster: (kubectl.kubeconfig.clone(), kubectl.context.clone()),
                    secret: (names.namespace.clone(), names.entry.clone()),
                }
            }
            StoreKind::Exec { command } => Self::Exec(command.clone()),
        }
    }
}

/// Returns the region of an ARN, and the resource behind its kind. Source: IAM User Guide, "Amazon Resource Names
/// (ARNs)".
fn parts_of_arn<'a>(name: &'a str, resource: &str) -> Option<(&'a str, &'a str)> {
    let mut parts = name.strip_prefix("arn:")?.splitn(5, ':');
    let (region, id) = (parts.nth(2)?, parts.nth(1)?);
    Some((region, id.strip_prefix(resource)?))
}

/// Returns the name of the secret whose ARN ends in this. Source: Secrets Manager API, `CreateSecret`: a hyphen and six
/// random characters follow the name.
fn without_suffix(id: &str) -> &str {
    match id.rsplit_once('-') {
        Some((name, suffix)) if suffix.len() == 6 => name,
        _ => id,
    }
}
