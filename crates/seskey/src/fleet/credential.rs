//! `[[credential]]`

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{
    Account, Organization,
    account::is_account_id,
    error::Fault,
    organization::EVERY_ACCOUNT,
    read::{Reader, Section, command},
    taken::Taken,
};
use crate::{
    Region, duration,
    policy::written,
    rotation::{Goal, GoalError},
    store::{Store, StoreKind},
    user::{UserName, UserPath},
};

/// A credential: the user that it belongs to, and its stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The line of the file in which its user is named, from 1.
    pub line: usize,
    /// The IAM user.
    pub user: UserName,
    /// Its account, one of [`Fleet::accounts`](super::Fleet::accounts). In a file with an organization, it may be the
    /// ID of an account of the organization, or `*` for each of them.
    pub account: String,
    /// The region of its password; absent for the region of the account's profile.
    pub region: Option<Region>,
    /// The path of the user when it is created.
    pub path: UserPath,
    /// The stores that the credential is delivered to: at least one.
    pub stores: Vec<Store>,
    /// The command to run after a delivery.
    pub after: Option<String>,
    /// The goal of its rotation.
    pub goal: Goal,
    /// Whether a rotation waits for an old key that is still used.
    pub wait_unused: bool,
    /// Whether the user is created if it does not exist.
    pub create: bool,
    /// The patterns for the From address in the policy of the user when it is created; any address if empty.
    pub from: Vec<String>,
}

impl Credential {
    pub(super) fn read(
        reader: &mut Reader,
        section: &Section,
        usual: &Terms,
        declared: Declared<'_>,
        taken: &mut Taken,
    ) -> Option<Self> {
        reader.check(section);
        let terms = Terms::read(reader, section, usual);
        let user = reader.text(section, "user", |text| Ok(UserName::parse(text)?));
        let account = account_of(reader, section, declared);
        let path = reader.text(section, "path", |text| Ok(UserPath::parse(text)?));
        let stores = reader.texts(section, "to", |text| text.parse().map_err(Fault::Store));
        let after = reader.text(section, "after", command);
        let create = section.boolean("create").unwrap_or(false);
        let from = reader.texts(section, "from", address_pattern);
        for key in ["user", "to"] {
            if !section.has(key) {
                reader.missing(section, key);
            }
        }
        if section.is_empty_list("to") {
            reader.refuse(section, "to", Fault::NoStore);
        }
        if !create {
            reader.refuse(section, "from", Fault::Without { needs: "create = true" });
        }
        let (user, account) = (user?, account?);
        taken.user(reader, section, &account, &user);
        for (at, store) in &stores {
            if account == EVERY_ACCOUNT && !is_in_account(store) {
                reader.fault(*at, "to", Fault::OnePlace);
            }
            taken.store(reader, *at, &account, terms.region.as_ref(), store);
        }
        Some(Self {
            line: reader.line(section.at_value("user")),
            goal: terms.goal(),
            region: terms.region,
            wait_unused: terms.wait_unused,
            path: path
                .unwrap_or_else(|| UserPath::parse("/").expect("IAM's own default is a path")),
            stores: stores.into_iter().map(|(_, store)| store).collect(),
            from: from.into_iter().map(|(_, pattern)| pattern).collect(),
            user,
            account,
            after,
            create,
        })
    }
}

/// The settings of a credential, from its own table or else from the top of the file.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    region: Option<Region>,
    max_age: SignedDuration,
    grace: SignedDuration,
    quarantine: SignedDuration,
    wait_unused: bool,
}

impl Terms {
    pub(super) fn read(reader: &mut Reader, section: &Section, usual: &Self) -> Self {
        let time = |text: &str| Ok(duration::parse(text)?);
        let age = |text: &str| match duration::parse(text)? {
            age if age.is_zero() => Err(Fault::Goal(GoalError::NoAge)),
            age => Ok(age),
        };
        let region = reader.text(section, "region", |text| Ok(Region::parse(text)?));
        Self {
            region: region.or_else(|| usual.region.clone()),
            max_age: reader.text(section, "max-age", age).unwrap_or(usual.max_age),
            grace: reader.text(section, "grace", time).unwrap_or(usual.grace),
            quarantine: reader.text(section, "quarantine", time).unwrap_or(usual.quarantine),
            wait_unused: section.boolean("wait-unused").unwrap_or(usual.wait_unused),
        }
    }

    fn goal(&self) -> Goal {
        Goal::new(self.max_age, self.grace, self.quarantine)
            .expect("no time that was parsed is negative, and no age is zero")
    }
}

impl Default for Terms {
    fn default() -> Self {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        let (max_age, grace, quarantine) = (days(90), days(7), days(7));
        Self { region: None, max_age, grace, quarantine, wait_unused: false }
    }
}

/// The accounts that a credential may name.
#[derive(Clone, Copy)]
pub(super) struct Declared<'a> {
    pub(super) accounts: &'a BTreeMap<String, Account>,
    pub(super) organization: Option<&'a Organization>,
}

impl Declared<'_> {
    fn names(self) -> Vec<String> {
        let every = self.organization.map(|_| EVERY_ACCOUNT.to_owned());
        self.accounts.keys().cloned().chain(every).collect()
    }

    fn account(self, text: &str) -> Result<String, Fault> {
        let is_of_organization = self.organization.is_some() && is_account_id(text);
        let given = text.to_owned();
        match self.organization {
            Some(of) if of.exclude.iter().any(|id| id == text) => Err(Fault::Excluded { given }),
            _ if is_of_organization || self.names().contains(&given) => Ok(given),
            _ => Err(Fault::UnknownAccount { given, declared: self.names() }),
        }
    }
}

/// Returns the named account, or the only one declared.
fn account_of(reader: &mut Reader, section: &Section, declared: Declared<'_>) -> Option<String> {
    if section.has("account") {
        return reader.text(section, "account", |text| declared.account(text));
    }
    match &declared.names()[..] {
        [only] if declared.organization.is_none() => Some(only.clone()),
        names => {
            let fault = Fault::WhichAccount { declared: names.to_owned() };
            reader.fault(section.at, "account", fault);
            None
        }
    }
}

/// Whether the store is a place of its own in each account.
fn is_in_account(store: &Store) -> bool {
    match &store.kind {
        StoreKind::SecretsManager(secret) | StoreKind::Ssm(secret) => {
            !secret.name.starts_with("arn:")
        }
        StoreKind::File { .. } | StoreKind::Kubernetes(_) | StoreKind::Exec { .. } => false,
    }
}

fn address_pattern(text: &str) -> Result<String, Fault> {
    Ok(written::address_pattern(text)?)
}
