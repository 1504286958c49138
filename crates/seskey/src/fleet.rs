//! `seskey.toml`: all the credentials of a fleet, and the accounts that they are in. Its form is in `docs/fleet.md`.
//!
//! ```
//! let fleet = seskey::Fleet::parse(
//!     r#"
//!     max-age = "30d"
//!
//!     [[credential]]
//!     user = "prod-mailer"
//!     to = ["file:/etc/postfix/sasl_passwd?format=postfix-sasl"]
//!     maxage = "60d"
//!     "#,
//! );
//! let faults: Vec<String> = fleet.unwrap_err().iter().map(ToString::to_string).collect();
//! assert_eq!(faults, ["7:5: a credential has no key maxage"]);
//! ```

mod account;
mod credential;
mod error;
mod key;
mod organization;
mod read;
mod taken;

pub use account::{Account, Role, is_account_id};
pub use credential::Credential;
pub use error::{Fault, FleetError};
pub use key::{KEYS, Key, Kind, Table};
pub use organization::{Members, Organization, SameUser};

use std::{collections::BTreeMap, num::NonZeroU32};

use toml::de::DeTable;

use self::{
    credential::{Declared, Terms},
    read::{Reader, Section},
    taken::Taken,
};

/// The contents of a `seskey.toml`, with its defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// The accounts by name. If the file declares none, and no organization, there is one called [`DEFAULT_ACCOUNT`].
    pub accounts: BTreeMap<String, Account>,
    /// The organization whose accounts are to be added.
    pub organization: Option<Organization>,
    /// The credentials, as they stand in the file.
    pub credentials: Vec<Credential>,
    /// The number of credentials that are processed at the same time.
    pub concurrency: NonZeroU32,
    /// The number of requests to IAM and STS per second in each account.
    pub calls_per_second: NonZeroU32,
}

/// The name of the account of a file that declares none.
pub const DEFAULT_ACCOUNT: &str = "default";

impl Fleet {
    /// Reads the text of a `seskey.toml`.
    ///
    /// # Errors
    /// Returns all errors, by line and column; for a text that is not TOML, only the first.
    pub fn parse(text: &str) -> Result<Self, Vec<FleetError>> {
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let message = error.message().to_owned();
            vec![FleetError::at(text, at, None, Fault::Syntax { message })]
        })?;
        let mut reader = Reader::new(text);
        let root = Section::new(Table::Root, 0, document.get_ref());
        let fleet = Self::read(&mut reader, &root);
        match reader.into_errors() {
            errors if errors.is_empty() => Ok(fleet),
            errors => Err(errors),
        }
    }

    /// Whether accounts are told apart by their names: there is, or may be, more than one.
    pub fn has_several_accounts(&self) -> bool {
        self.accounts.len() > 1 || self.organization.is_some()
    }

    fn read(reader: &mut Reader, root: &Section) -> Self {
        reader.check(root);
        let usual = Terms::read(reader, root, &Terms::default());
        let mut accounts: BTreeMap<_, _> = root
            .named("account", Table::Account)
            .into_iter()
            .map(|(name, section)| (name, Account::read(reader, &section)))
            .collect();
        let organization = root
            .inner("organization", Table::Organization)
            .and_then(|section| Organization::read(reader, &section, &accounts));
        if accounts.is_empty() && !root.has("organization") {
            accounts.insert(DEFAULT_ACCOUNT.to_owned(), Account::default());
        }
        let declared = Declared { accounts: &accounts, organization: organization.as_ref() };
        let mut taken = Taken::default();
        let credentials = root
            .listed("credential", Table::Credential)
            .into_iter()
            .filter_map(|section| Credential::read(reader, &section, &usual, declared, &mut taken))
            .collect();
        Self {
            accounts,
            organization,
            credentials,
            concurrency: root.number("concurrency").unwrap_or(CONCURRENCY),
            calls_per_second: root.number("calls-per-second").unwrap_or(CALLS_PER_SECOND),
        }
    }
}

/// Most of the time of a rotation is spent until the new key takes effect: many of them can wait while the calls keep
/// their pace. At the slowest pace after throttling, so many leave a step with its five calls well within
/// [`MARGIN`](crate::rotation::MARGIN).
const CONCURRENCY: NonZeroU32 = NonZeroU32::new(32).expect("it is not zero");

const CALLS_PER_SECOND: NonZeroU32 = NonZeroU32::new(10).expect("it is not zero");
