//! The accounts of an organization. Sources: Organizations API, `ListAccounts`, `ListAccountsForParent`,
//! `ListOrganizationalUnitsForParent`.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_organizations::{Client, types};

use crate::{Account, Error, config::Service};

/// The state of an account that can be used.
pub const ACTIVE: &str = "ACTIVE";

impl Account {
    /// Returns the accounts of the organization by ID, with their states in AWS's words: those of these organizational
    /// units and of the units below them, or all if no unit is named, without the accounts and units in `exclude`.
    ///
    /// # Errors
    /// The first call that failed.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn members(
        &self,
        units: &[String],
        exclude: &[String],
    ) -> Result<BTreeMap<String, String>, Error> {
        let service = self.organizations();
        let mut members = match units {
            [] => all(&service).await?,
            units => below(&service, units.to_vec()).await?,
        };
        let is_unit = |id: &&String| !id.bytes().all(|b| b.is_ascii_digit());
        let excluded = exclude.iter().filter(is_unit).cloned().collect();
        for id in below(&service, excluded).await?.keys().chain(exclude) {
            members.remove(id);
        }
        Ok(members)
    }
}

async fn all(service: &Service<Client>) -> Result<BTreeMap<String, String>, Error> {
    let pages = service.client.list_accounts().into_paginator().send();
    let pages: Result<Vec<_>, _> = pages.try_collect().await;
    let pages = pages.map_err(service.failed("organizations:ListAccounts"))?;
    let accounts = pages.into_iter().flat_map(|page| page.accounts.unwrap_or_default());
    Ok(accounts.filter_map(member).collect())
}

/// Returns the accounts of these units and of all units below them.
async fn below(
    service: &Service<Client>,
    mut units: Vec<String>,
) -> Result<BTreeMap<String, String>, Error> {
    let client = &service.client;
    let (mut members, mut seen) = (BTreeMap::new(), BTreeSet::new());
    while let Some(parent) = units.pop() {
        if !seen.insert(parent.clone()) {
            continue;
        }
        let pages = client.list_accounts_for_parent().parent_id(&parent).into_paginator().send();
        let pages: Result<Vec<_>, _> = pages.try_collect().await;
        let pages = pages.map_err(service.failed("organizations:ListAccountsForParent"))?;
        let accounts = pages.into_iter().flat_map(|page| page.accounts.unwrap_or_default());
        members.extend(accounts.filter_map(member));
        let pages = client.list_organizational_units_for_parent().parent_id(parent);
        let pages: Result<Vec<_>, _> = pages.into_paginator().send().try_collect().await;
        let action = "organizations:ListOrganizationalUnitsForParent";
        let pages = pages.map_err(service.failed(action))?;
        let below =
            pages.into_iter().flat_map(|page| page.organizational_units.unwrap_or_default());
        units.extend(below.filter_map(|unit| unit.id));
    }
    Ok(members)
}

/// Returns the ID and the state of an account. `State` has replaced `Status`, the only one that some emulators know.
/// Source: Organizations API, `Account`.
fn member(account: types::Account) -> Option<(String, String)> {
    let state = account.state.as_ref().map(types::AccountState::as_str);
    let state = state.or_else(|| account.status.as_ref().map(types::AccountStatus::as_str));
    Some((account.id?, state.unwrap_or_default().to_owned()))
}
