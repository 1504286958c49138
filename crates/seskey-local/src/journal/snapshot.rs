//! The state of a local SES in memory at its start.

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use seskey::{AccessKeyId, Region, SecretAccessKey};
use tracing::warn;

use super::{Database, JournalError, Write};
use crate::{
    account::{Account, AccountId, Action, Principal, Status, fresh_access_key},
    mailbox::Mailbox,
    tls::Authority,
};

/// The given parts of a new state. An absent part is made, or taken from the disk.
pub(crate) struct Seed {
    pub(crate) account_id: Option<AccountId>,
    pub(crate) region: Option<Region>,
    pub(crate) root: Option<RootKey>,
    pub(crate) authority: Authority,
}

/// The stored state, read from the disk or new.
pub(crate) struct Snapshot {
    pub(crate) account: Account,
    pub(crate) mailbox: Mailbox,
    pub(crate) authority: Authority,
    /// The region that the state was made for.
    pub(crate) region: Region,
    pub(crate) clock_ahead: SignedDuration,
}

pub(crate) type RootKey = (AccessKeyId, SecretAccessKey);

impl Snapshot {
    /// Makes a new state, in memory alone.
    pub(crate) fn new(seed: Seed, rng: &mut dyn Rng) -> (Self, RootKey) {
        let default = || AccountId::parse("000000000000").expect("12 digits");
        let id = seed.account_id.unwrap_or_else(default);
        let default = || Region::parse("us-east-1").expect("a region of the table");
        let region = seed.region.unwrap_or_else(default);
        let root = seed.root.unwrap_or_else(|| fresh_access_key(&id, rng));
        let kept = Self {
            account: Account::new(id, region.partition(), root.clone(), Timestamp::now()),
            mailbox: Mailbox::default(),
            authority: seed.authority,
            region,
            clock_ahead: SignedDuration::ZERO,
        };
        (kept, root)
    }

    /// Reads the state from a database, or writes a new one to it. Nothing is changed if the database has another
    /// account, partition or root key than was asked for.
    pub(crate) fn open(
        database: &mut Database,
        seed: Seed,
        rng: &mut dyn Rng,
    ) -> Result<(Self, RootKey), JournalError> {
        let Some(mut kept) = database.load()? else {
            let (mut kept, root) = Self::new(seed, rng);
            database.begin(&mut kept)?;
            return Ok((kept, root));
        };
        kept.agree(database, &seed)?;
        if !kept.authority.is_good(Timestamp::now()) {
            warn!(
                "the TLS authority was made while the clock was wrong, or is too old: clients must trust a new one"
            );
            kept.authority = seed.authority;
            database.replace_authority(&kept.authority)?;
        }
        let root = match seed.root {
            Some(root) => root,
            None => kept.root_key(database, rng)?,
        };
        Ok((kept, root))
    }

    fn agree(&self, database: &Database, seed: &Seed) -> Result<(), JournalError> {
        let directory = || database.directory().to_owned();
        let (kept, wanted) = (self.account.id(), seed.account_id.as_ref());
        if let Some(wanted) = wanted.filter(|wanted| *wanted != kept) {
            let (kept, wanted) = (kept.clone(), wanted.clone());
            return Err(JournalError::OtherAccount { directory: directory(), kept, wanted });
        }
        let (kept, wanted) = (self.account.partition(), seed.region.as_ref());
        if let Some(wanted) = wanted.map(Region::partition).filter(|wanted| *wanted != kept) {
            return Err(JournalError::OtherPartition { directory: directory(), kept, wanted });
        }
        if let Some((id, secret)) = &seed.root {
            let mut keys = self.account.root_access_keys();
            if !keys.any(|(kept, key)| kept == id.as_str() && key.secret() == secret) {
                return Err(JournalError::OtherRootKey { directory: directory() });
            }
        }
        Ok(())
    }

    /// Returns an access key of the root user, an active one if there is one. If all were deleted, it makes a new one.
    fn root_key(
        &mut self,
        database: &mut Database,
        rng: &mut dyn Rng,
    ) -> Result<RootKey, JournalError> {
        if self.account.root_access_keys().next().is_none() {
            let create = Action::CreateAccessKey { principal: Principal::Root };
            // a user without access keys may have one
            let _ = self.account.apply(create, Timestamp::now(), rng);
            let rows = Write::Rows(self.account.take_changes());
            database.write([&rows].into_iter())?;
        }
        let keys = self.account.root_access_keys();
        let (id, key) = keys
            .min_by_key(|(_, key)| key.status() != Status::Active)
            .expect("there is one, or one was made");
        let id = AccessKeyId::parse(id).expect("access keys are made with an access key ID");
        Ok((id, key.secret().clone()))
    }
}
