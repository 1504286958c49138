//! A job: the user to rotate, its account, its goal, and the stores of its credential.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use seskey::{
    Region,
    rotation::{self, Goal, RunId, Seen, Sending, Step},
    store::Store,
    user::REGION_TAG,
};
use seskey_aws::{
    Account,
    iam::UserDetails,
    lifecycle::{
        create::CreateRequest,
        prove::Proof,
        rotate::{Hook, Rotation},
    },
    smtp::{Client, Server},
    store::tell_apart,
};

use crate::{
    args::Endpoint,
    connect::{aws, smtp},
    explain::{Failure, Result},
};

/// A user to rotate.
#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) who: Who,
    pub(crate) target: Target,
    /// The details of the user from a list, and whether it may send.
    pub(crate) known: Option<(UserDetails, Sending)>,
    /// The request that makes the user if there is none.
    pub(crate) create: Option<CreateRequest>,
    pub(crate) goal: Goal,
    /// The function that decides the next step.
    pub(crate) plan: fn(&Seen, &Goal) -> Step,
    pub(crate) stores: Vec<Store>,
    pub(crate) hook: Option<Hook>,
    /// Whether the key is due at any age.
    pub(crate) now: bool,
    /// The time to wait for another run.
    pub(crate) wait: Duration,
    /// Whether the run goes on if a note cannot be written.
    pub(crate) forgoes_notes: bool,
}

/// The jobs of a run.
#[derive(Default)]
pub(crate) struct Jobs {
    pub(crate) ready: Vec<Job>,
    /// Users that cannot be worked on, with their stores, and why.
    pub(crate) barred: Vec<(Who, Vec<Store>, Failure)>,
}

impl From<Vec<Job>> for Jobs {
    fn from(ready: Vec<Job>) -> Self {
        Self { ready, barred: vec![] }
    }
}

/// The user of a job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Who {
    /// The name of the IAM user.
    pub(crate) user: String,
    /// The name of the account in the fleet's file.
    pub(crate) account: Option<String>,
}

/// The account of a user, and the endpoint that its credential logs in to.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) account: Account,
    /// The region of the credential, in place of the one in the tag.
    pub(crate) region: Option<Region>,
    /// The region if there is no tag.
    pub(crate) usual_region: Option<Region>,
    /// The SMTP client, and its endpoint if that is not the region's.
    pub(crate) client: Client,
    pub(crate) endpoint: Endpoint,
}

impl Job {
    /// Returns a job with the defaults of `seskey rotate`.
    pub(crate) fn new(who: Who, target: Target, goal: Goal, stores: Vec<Store>) -> Self {
        Self {
            who,
            target,
            known: None,
            create: None,
            goal,
            plan: rotation::next,
            stores,
            hook: None,
            now: false,
            wait: Duration::from_secs(60),
            forgoes_notes: false,
        }
    }

    /// Sets the command that is run when every store holds the credential.
    pub(crate) fn with_hook(self, command: Option<&str>) -> Self {
        Self { hook: command.map(Hook::new), ..self }
    }

    /// Finds the region, and with it the endpoint. Returns the account with the SMTP endpoint for its stores, and the
    /// rotation.
    pub(super) fn rotation(
        self,
        tags: Option<Vec<(String, String)>>,
        sending: Sending,
    ) -> Result<(Account, Rotation)> {
        let Self { who: Who { user, .. }, target, goal, plan, mut stores, hook, now, wait, .. } =
            self;
        let tag =
            tags.iter().flatten().find(|(key, _)| key == REGION_TAG).map(|(_, region)| region);
        let tag = tag.map(|region| aws::parse_region(region, true)).transpose()?;
        let region = match (target.region, tag) {
            (Some(region), Some(tag)) if region != tag => {
                return Err(contradiction(&tag, &region));
            }
            (Some(region), _) | (None, Some(region)) => region,
            (None, None) => target.usual_region.ok_or_else(|| {
                Failure::usage(
                    format!("the region of {user} is unknown: it has no tag {REGION_TAG}"),
                    "name it by --region: an SMTP password is for one region",
                )
            })?,
        };
        let proof = |region: &Region| -> Result<Proof> {
            Ok(Proof::new(
                target.client.clone(),
                smtp::server(&target.endpoint, Some(region), None, None)?,
            ))
        };
        let usual = proof(&region)?;
        // a reader of a store logs in where the credential is proven
        let Server { host, port, .. } = &usual.server;
        let account = match target.endpoint.smtp_endpoint {
            None => target.account,
            Some(_) => target.account.with_smtp_endpoint(host, *port),
        };
        tell_apart(&account, &mut stores, &region).map_err(|number| {
            let store = &stores[number];
            Failure::usage(
                format!("{store}: two regions have one place there, and their hosts do not tell them apart"),
                "in a file, entries are told apart by the endpoint of their region; else name a place for each region",
            )
        })?;
        let others = stores.iter().filter_map(|store| store.region.clone());
        let proofs = others.map(|region| Ok((region.clone(), proof(&region)?)));
        let rotation = Rotation {
            proof: usual,
            proofs: proofs.collect::<Result<_>>()?,
            sending,
            forgoes_notes: self.forgoes_notes,
            user,
            region,
            goal,
            plan,
            stores,
            hook,
            now,
            wait,
            tags,
        };
        Ok((account, rotation))
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.user)?;
        self.account.iter().try_for_each(|account| write!(f, " in {account}"))
    }
}

fn contradiction(tag: &Region, region: &Region) -> Failure {
    Failure::usage(
        format!("its credential is for {tag}, as the tag {REGION_TAG} says, and not for {region}"),
        format!(
            "for one region more, name it in a store, such as file:PATH?region={region}; to leave {tag}, change the tag"
        ),
    )
}

/// Returns the state that will be seen of a user that is yet to be made.
pub(super) fn new_user(rotation: &Rotation, account: &Account) -> Seen {
    let region = |store: &Store| store.region_or(&rotation.region).clone();
    let empty = |store: &Store| rotation::Store::new(store.id(&rotation.region), region(store));
    let now = account.now().unwrap_or_else(Timestamp::now);
    Seen { stores: rotation.stores.iter().map(empty).collect(), ..Seen::at(now, RunId::of("", "")) }
}
