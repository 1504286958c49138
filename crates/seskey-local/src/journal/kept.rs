//! What a local SES has in memory from its first moment on.

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use seskey::{AccessKeyId, Region, SecretAccessKey};
use tracing::warn;

use super::{Database, JournalError, Write};
use crate::{
    account::{Account, AccountId, Action, Principal, Status, fresh_access_key},
    mailbox::Mailbox,
    server::{Config, StartError},
    tls::Authority,
};

/// What is kept, read from the disk or new.
pub(crate) struct Kept {
    pub(crate) account: Account,
    pub(crate) mailbox: Mailbox,
    pub(crate) authority: Authority,
    /// The region that it was made for.
    pub(crate) region: Region,
    pub(crate) clock_ahead: SignedDuration,
}

type RootKey = (AccessKeyId, SecretAccessKey);

impl Kept {
    /// What is new, in memory alone.
    pub(crate) fn new(config: &Config, rng: &mut dyn Rng) -> Result<(Self, RootKey), StartError> {
        let default = || AccountId::parse("000000000000").expect("12 digits");
        let id = config.account_id.clone().unwrap_or_else(default);
        let default = || Region::parse("us-east-1").expect("a region of the table");
        let region = config.region.clone().unwrap_or_else(default);
        let root = config.root.clone().unwrap_or_else(|| fresh_access_key(&id, rng));
        let kept = Self {
            account: Account::new(id, region.partition(), root.clone(), Timestamp::now()),
            mailbox: Mailbox::default(),
            authority: Authority::new()?,
            region,
            clock_ahead: SignedDuration::ZERO,
        };
        Ok((kept, root))
    }

    /// What is in a database, or what is new and is in it now. Nothing is changed if something else was asked for than
    /// is in it.
    pub(crate) fn open(
        database: &mut Database,
        config: &Config,
        rng: &mut dyn Rng,
    ) -> Result<(Self, RootKey), StartError> {
        let Some(mut kept) = database.load()? else {
            let (mut kept, root) = Self::new(config, rng)?;
            database.begin(&mut kept)?;
            return Ok((kept, root));
        };
        kept.agree(database, config)?;
        if !kept.authority.is_good(Timestamp::now()) {
            warn!(
                "the TLS authority was made while the clock was wrong, or is too old: clients must trust a new one"
            );
            kept.authority = Authority::new()?;
            database.replace_authority(&kept.authority)?;
        }
        let root = match &config.root {
            Some(root) => root.clone(),
            None => kept.root_key(database, rng)?,
        };
        Ok((kept, root))
    }

    fn agree(&self, database: &Database, config: &Config) -> Result<(), JournalError> {
        let directory = || database.directory().to_owned();
        let (kept, wanted) = (self.account.id(), config.account_id.as_ref());
        if let Some(wanted) = wanted.filter(|wanted| *wanted != kept) {
            let (kept, wanted) = (kept.clone(), wanted.clone());
            return Err(JournalError::OtherAccount { directory: directory(), kept, wanted });
        }
        let (kept, wanted) = (self.account.partition(), config.region.as_ref());
        if let Some(wanted) = wanted.map(Region::partition).filter(|wanted| *wanted != kept) {
            return Err(JournalError::OtherPartition { directory: directory(), kept, wanted });
        }
        if let Some((id, secret)) = &config.root {
            let mut keys = self.account.root_access_keys();
            if !keys.any(|(kept, key)| kept == id.as_str() && key.secret() == secret) {
                return Err(JournalError::OtherRootKey { directory: directory() });
            }
        }
        Ok(())
    }

    /// An access key of the root user, an active one if there is one; if all were deleted, a new one.
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
