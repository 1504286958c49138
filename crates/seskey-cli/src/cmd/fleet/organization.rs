//! The accounts to go through: the accounts of a `seskey.toml`, and of its organization.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    path::Path,
};

use seskey::{
    Fleet, Partition,
    fleet::{self, Members, Organization},
};
use seskey_aws::{Account, organization::ACTIVE};

use super::{connect, read};
use crate::{
    args::{Global, fleet::Accounts},
    connect::aws,
    explain::{self, Result},
    output::Output,
};

/// A fleet with the accounts of its organization.
pub(crate) struct Whole {
    pub(crate) fleet: Fleet,
    /// The states of the accounts of the organization, by their IDs.
    pub(crate) states: BTreeMap<String, String>,
}

/// Returns the accounts that the options name: of a file, or of an organization. `None` for the caller's alone.
pub(crate) async fn typed(
    args: &Accounts,
    global: &Global,
    output: &Output,
) -> Result<Option<Whole>> {
    let fleet = match (&args.file, &args.organization) {
        (Some(file), _) => read(file)?,
        (None, Some(role)) => {
            let organization = Organization::of_role(role);
            let organization =
                organization.map_err(|fault| explain::organization::role_name(&fault))?;
            Fleet::of_organization(organization)
        }
        (None, None) => return Ok(None),
    };
    let file = args.file.as_deref().unwrap_or_else(|| Path::new(""));
    Ok(Some(whole(fleet, file, None, global, output).await?))
}

/// Lists the accounts of the organization, if the fleet has one. If one account alone is wanted, it is taken by its ID
/// where possible: a caller that sends an event for each of a thousand accounts has listed them, and Organizations
/// throttles.
pub(crate) async fn whole(
    fleet: Fleet,
    file: &Path,
    one: Option<&str>,
    global: &Global,
    output: &Output,
) -> Result<Whole> {
    let Some(organization) = &fleet.organization else {
        return Ok(Whole { fleet, states: BTreeMap::new() });
    };
    let asked = organization.account.as_ref().map(|name| fleet.accounts[name].clone());
    let asked = connect(&asked.unwrap_or_default(), &fleet, global).await;
    let caller = asked.caller().await.map_err(|error| explain::aws::failure(&error))?;
    let states = match one.filter(|id| organization.takes_unlisted(id)) {
        Some(id) => [(id.to_owned(), ACTIVE.to_owned())].into(),
        None => {
            let listed = asked.members(&organization.units, &organization.exclude).await;
            listed.map_err(|error| explain::organization::failure(&error))?
        }
    };
    let (active, others): (BTreeSet<_>, BTreeSet<_>) =
        states.keys().cloned().partition(|id| states[id] == ACTIVE);
    for id in others {
        output.detail(&format!("the account {id} is left out: it is {}", states[&id]));
    }
    let members = Members {
        partition: caller.partition().unwrap_or(Partition::Aws),
        ids: active,
        declared: declared(&fleet, global).await,
        caller: caller.account,
    };
    let fleet = fleet.with_members(&members);
    let fleet = fleet.map_err(|error| explain::organization::same_user(&error, file))?;
    Ok(Whole { fleet, states })
}

/// Returns the IDs of the accounts that the file declares. An account that does not answer is left out, and fails when
/// it is worked on.
async fn declared(fleet: &Fleet, global: &Global) -> BTreeMap<String, String> {
    let ids = fleet.accounts.iter().map(async |(name, account)| {
        let id = match (fleet::is_account_id(name), account.id()) {
            (true, _) => Some(name.clone()),
            (false, Some(id)) => Some(id.to_owned()),
            (false, None) => id_of(&connect(account, fleet, global).await).await,
        };
        Some((name.clone(), id?))
    });
    aws::several_at_a_time(ids, fleet.concurrency).await.into_iter().flatten().collect()
}

async fn id_of(account: &Account) -> Option<String> {
    Some(account.caller().await.ok()?.account)
}

/// Returns the accounts, with their names if there are several, and the number to read at the same time.
pub(crate) async fn accounts(
    args: &Accounts,
    global: &Global,
    output: &Output,
) -> Result<(Vec<(Option<String>, Account)>, NonZeroU32)> {
    let Some(Whole { fleet, .. }) = typed(args, global, output).await? else {
        return Ok((vec![(None, aws::account_of_many(global).await)], NonZeroU32::MIN));
    };
    let mut accounts = vec![];
    for (name, account) in &fleet.accounts {
        let name = fleet.has_several_accounts().then(|| name.clone());
        accounts.push((name, connect(account, &fleet, global).await));
    }
    Ok((accounts, fleet.concurrency))
}
