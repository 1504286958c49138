//! `[organization]`: accounts that AWS Organizations lists, not the file.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Account, Credential, Fleet, Role,
    account::is_account_id,
    error::Fault,
    read::{Reader, Section, filled},
};
use crate::Partition;

/// An organization, and the way to reach its accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// The name of the role that is assumed in each account, with its path.
    pub role_name: String,
    /// The external ID of the trust policies of these roles.
    pub external_id: Option<String>,
    /// The account that is asked for the others, one of [`Fleet::accounts`]: the management account, or that of a
    /// delegated administrator. Absent for the default chain of credentials.
    pub account: Option<String>,
    /// The organizational units whose accounts are included, with those in units below; the whole organization if
    /// empty.
    pub units: Vec<String>,
    /// The accounts and organizational units that are left out.
    pub exclude: Vec<String>,
}

/// The facts of an organization whose accounts were listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    /// The partition that its accounts are in.
    pub partition: Partition,
    /// The account that was asked.
    pub caller: String,
    /// The IDs of the accounts that are included.
    pub ids: BTreeSet<String>,
    /// The IDs of the accounts that the file declares, by their names, if they are known.
    pub declared: BTreeMap<String, String>,
}

/// The error that two credentials of a file are of the same user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SameUser {
    /// The user.
    pub user: String,
    /// The ID of its account.
    pub account: String,
    /// The lines of both credentials.
    pub lines: [usize; 2],
}

/// The account name of a credential for each account of the organization.
pub(super) const EVERY_ACCOUNT: &str = "*";

impl Organization {
    /// Makes an organization of all its accounts, listed with the default chain of credentials.
    ///
    /// # Errors
    /// Fails if this is not the name of a role.
    pub fn of_role(name: &str) -> Result<Self, Fault> {
        let role_name = role_name(name)?;
        Ok(Self { role_name, external_id: None, account: None, units: vec![], exclude: vec![] })
    }

    /// Whether an account with this ID is included if the organization has it: no organizational unit decides.
    pub fn takes_unlisted(&self, id: &str) -> bool {
        let is_other = |excluded: &String| is_account_id(excluded) && excluded != id;
        is_account_id(id) && self.units.is_empty() && self.exclude.iter().all(is_other)
    }

    pub(super) fn read(
        reader: &mut Reader,
        section: &Section,
        accounts: &BTreeMap<String, Account>,
    ) -> Option<Self> {
        reader.check(section);
        if !section.has("role-name") {
            reader.missing(section, "role-name");
        }
        let account = reader.text(section, "account", |text| match accounts.contains_key(text) {
            true => Ok(text.to_owned()),
            false => Err(Fault::UnknownAccount {
                given: text.to_owned(),
                declared: accounts.keys().cloned().collect(),
            }),
        });
        let units = reader.texts(section, "ou", |text| match is_unit_id(text) {
            true => Ok(text.to_owned()),
            false => Err(Fault::UnitId { given: text.to_owned() }),
        });
        let exclude = reader.texts(section, "exclude", |text| {
            match is_account_id(text) || is_unit_id(text) {
                true => Ok(text.to_owned()),
                false => Err(Fault::MemberId { given: text.to_owned() }),
            }
        });
        Some(Self {
            external_id: reader.text(section, "external-id", filled),
            role_name: reader.text(section, "role-name", role_name)?,
            account,
            units: units.into_iter().map(|(_, unit)| unit).collect(),
            exclude: exclude.into_iter().map(|(_, id)| id).collect(),
        })
    }
}

impl Fleet {
    /// Makes a fleet of every account of an organization, with nothing declared.
    pub fn of_organization(organization: Organization) -> Self {
        let nothing = Self::parse("").expect("an empty file has no fault");
        Self { accounts: BTreeMap::new(), organization: Some(organization), ..nothing }
    }

    /// Returns the fleet as it is from within this account, without the other accounts of the organization.
    pub fn in_own_account(self, id: &str) -> Self {
        let organization = self.organization.clone();
        let organization = organization.map(|of| Organization { account: None, ..of });
        let members = Members {
            partition: Partition::Aws,
            caller: id.to_owned(),
            ids: [id.to_owned()].into(),
            declared: BTreeMap::new(),
        };
        let fleet = Self { organization, ..self };
        fleet.clone().with_members(&members).unwrap_or(fleet)
    }

    /// Adds the accounts of the organization, each by its ID unless the file declares it. A credential of every account
    /// becomes one for each. A credential whose account is not in [`accounts`](Self::accounts) afterwards is of an
    /// account that the organization does not have, or no longer has. Without an organization nothing changes.
    ///
    /// # Errors
    /// Fails if two credentials are of the same user, because the file names an account by its ID and by its name.
    pub fn with_members(mut self, members: &Members) -> Result<Self, SameUser> {
        let Some(organization) = &self.organization else { return Ok(self) };
        let asked = organization.account.as_ref().map(|name| self.accounts[name].clone());
        let asked = asked.unwrap_or_default();
        let arn = |id: &String| {
            format!("arn:{}:iam::{id}:role/{}", members.partition, organization.role_name)
        };
        // the caller is in its own account already
        let member = |id: &String| match *id == members.caller {
            true => asked.clone(),
            false => {
                let external_id = organization.external_id.clone();
                let role = Role { arn: arn(id), external_id };
                let roles = asked.roles.iter().cloned().chain([role]).collect();
                Account { roles, ..asked.clone() }
            }
        };
        let named: BTreeSet<String> =
            self.credentials.iter().map(|credential| credential.account.clone()).collect();
        let excluded = |name: &String| {
            let id = members.declared.get(name).unwrap_or(name);
            organization.exclude.contains(id) && !named.contains(name)
        };
        self.accounts.retain(|name, _| !excluded(name));
        for (name, account) in &mut self.accounts {
            if members.ids.contains(name) && account.profile.is_none() && account.roles.is_empty() {
                *account = account.clone().or(member(name));
            }
        }
        let name_of: BTreeMap<&String, &String> =
            members.declared.iter().map(|(name, id)| (id, name)).collect();
        let name = |id: &String| name_of.get(id).map_or(id, |name| name).clone();
        for id in &members.ids {
            self.accounts.entry(name(id)).or_insert_with(|| member(id));
        }
        let each = |credential: Credential| -> Vec<Credential> {
            let accounts: Vec<String> = match &*credential.account {
                EVERY_ACCOUNT => members.ids.iter().map(name).collect(),
                account => vec![name(&account.to_owned())],
            };
            let of = |account| Credential { account, ..credential.clone() };
            accounts.into_iter().map(of).collect()
        };
        self.credentials = self.credentials.into_iter().flat_map(each).collect();
        let mut lines = BTreeMap::new();
        for Credential { user, account, line, .. } in &self.credentials {
            let key = (user.as_str().to_ascii_lowercase(), account);
            if let Some(first) = lines.insert(key, *line) {
                let account = members.declared.get(account).unwrap_or(account).clone();
                return Err(SameUser { user: user.to_string(), account, lines: [first, *line] });
            }
        }
        Ok(self)
    }
}

impl Account {
    /// Fills absent settings from the other account.
    fn or(self, other: Self) -> Self {
        Self {
            profile: self.profile.or(other.profile),
            roles: if self.roles.is_empty() { other.roles } else { self.roles },
            endpoint_url: self.endpoint_url.or(other.endpoint_url),
            smtp_endpoint: self.smtp_endpoint.or(other.smtp_endpoint),
            ca_file: self.ca_file.or(other.ca_file),
        }
    }
}

/// Checks the name of a role, with its path. Source: IAM API, `CreateRole`.
fn role_name(text: &str) -> Result<String, Fault> {
    let name = text.rsplit('/').next().unwrap_or_default();
    let is_of_it = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&b);
    match text.bytes().all(is_of_it) && !text.starts_with('/') && (1..=64).contains(&name.len()) {
        true => Ok(text.to_owned()),
        false => Err(Fault::RoleName { given: text.to_owned() }),
    }
}

/// Whether it is an organizational unit or a root. Source: Organizations API, `ListAccountsForParent`.
fn is_unit_id(text: &str) -> bool {
    let is_part = |part: &str, least: usize| {
        let is_of_it = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        (least..=32).contains(&part.len()) && part.bytes().all(is_of_it)
    };
    match text.split('-').collect::<Vec<_>>()[..] {
        ["r", root] => is_part(root, 4),
        ["ou", root, unit] => is_part(root, 4) && is_part(unit, 8),
        _ => false,
    }
}
