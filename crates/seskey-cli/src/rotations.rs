//! Rotates any number of users, several at a time, each for itself, and tells what comes of each.

mod overview;
mod records;
mod report;
mod rows;

use std::{
    collections::BTreeSet,
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use seskey::{
    Region,
    rotation::{self, Goal, RunId, Seen, Sending, Step, tags_too_many},
    store::Store,
    user::{REGION_TAG, SENDING_GROUP, SENDING_POLICY},
};
use seskey_aws::{
    Account,
    iam::UserDetails,
    lifecycle::{
        Interrupt,
        converge::{Drift, converge, drift},
        create::{
            CreateError, CreateRequest, Event as Making, Style, create_user, look as look_at_user,
        },
        prove::Proof,
        rotate::{Hook, RotateFailure, Rotation, forecast, look, look_at_stores, rotate},
    },
    smtp::{Client, Server},
    store::tell_apart,
};
use tokio::task::{JoinSet, LocalSet, spawn_local};

pub(crate) use self::records::Records;
use self::report::{Ended, Report};
use crate::{
    args::Endpoint,
    connect::{aws, smtp},
    exit::Exit,
    explain::{self, Failure, Result},
    output::Output,
    signals,
};

/// One user to be rotated.
#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) who: Who,
    pub(crate) account: Account,
    /// The region of its credential, in place of the one in its tag.
    pub(crate) region: Option<Region>,
    /// The region where there is no tag.
    pub(crate) usual_region: Option<Region>,
    /// What is known of it from a list, and whether it may send.
    pub(crate) known: Option<(UserDetails, Sending)>,
    /// How the user is made if there is none.
    pub(crate) create: Option<CreateRequest>,
    /// What is to be reached.
    pub(crate) goal: Goal,
    /// What decides.
    pub(crate) plan: fn(&Seen, &Goal) -> Step,
    pub(crate) stores: Vec<Store>,
    pub(crate) hook: Option<Hook>,
    /// What logs in, and where if not at the endpoint of the region.
    pub(crate) client: Client,
    pub(crate) endpoint: Endpoint,
    /// Whether it is due whatever its age.
    pub(crate) now: bool,
    /// How long it waits for another run.
    pub(crate) wait: Duration,
    /// Whether it goes on where a note cannot be written.
    pub(crate) forgoes_notes: bool,
}

/// Who it is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Who {
    /// The name of the IAM user.
    pub(crate) user: String,
    /// The account, as the fleet's file calls it.
    pub(crate) account: Option<String>,
}

/// Whether it is done, or only said what would be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Run,
    DryRun,
}

/// How it ended, and whether anything was done or would be.
pub(crate) struct Done {
    pub(crate) exit: Exit,
    pub(crate) has_changes: bool,
    /// Whether a delivery was begun: a store may hold a new credential.
    pub(crate) has_delivered: bool,
}

/// Rotates all of them, `concurrency` at a time. One user's failure does not stop the others.
pub(crate) async fn run(
    jobs: Vec<Job>,
    mode: Mode,
    concurrency: NonZeroUsize,
    records: Records,
    output: Output,
) -> Result<Done> {
    let interrupt = signals::interrupt(&output)?;
    let report = Arc::new(Mutex::new(Report::new(jobs.len(), mode, records, output)));
    let all = async {
        let mut running = JoinSet::new();
        for job in jobs {
            if interrupt.is_raised() {
                locked(&report).not_begun(&job.who);
                continue;
            }
            if running.len() >= concurrency.get() {
                running.join_next().await;
            }
            running.spawn_local(guarded(job, mode, interrupt.clone(), Arc::clone(&report)));
        }
        while running.join_next().await.is_some() {}
    };
    LocalSet::new().run_until(all).await;
    let report = Arc::into_inner(report).expect("every task is over");
    let report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (has_changes, has_delivered) = (report.has_changes(), report.has_delivered());
    Ok(Done { exit: report.finish().await?, has_changes, has_delivered })
}

/// Looks at what a key of a user that is yet to be made will need. Nothing is changed. Gives the account as its stores
/// are to be read.
pub(crate) async fn look_ahead(job: Job, request: &CreateRequest) -> Result<Account> {
    let tags = Some(request.tags.clone());
    let (account, rotation) = rotation(job, tags, Sending::Unknown)?;
    ready(&account, &rotation, request).await?;
    Ok(account)
}

async fn ready(account: &Account, rotation: &Rotation, request: &CreateRequest) -> Result<()> {
    let tags_too_many = tags_too_many(request.tags.iter().map(|(key, _)| &**key));
    let ready = async {
        look(account, rotation, tags_too_many, &BTreeSet::new()).await?;
        look_at_stores(account, rotation).await
    };
    ready.await.map_err(|failure| match failure {
        // nothing has them yet
        RotateFailure::Tags { .. } => Failure {
            hint: "leave so many out: three notes and the region have their place there".to_owned(),
            ..explain::rotation::failure(&failure, rotation)
        },
        failure => explain::rotation::failure(&failure, rotation),
    })
}

/// A bug that one user brings to light is told like any other failure of that user.
async fn guarded(job: Job, mode: Mode, interrupt: Interrupt, report: Arc<Mutex<Report>>) {
    let (who, stores) = (job.who.clone(), job.stores.clone());
    if spawn_local(one(job, mode, interrupt, Arc::clone(&report))).await.is_err() {
        let failure = Failure::unfinished(
            "it broke off, which is a bug in seskey",
            "please report it with what was printed before; run it again to go on",
        );
        locked(&report).ended(&who, &stores, Ended::Failed(failure));
    }
}

fn locked(report: &Mutex<Report>) -> MutexGuard<'_, Report> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn one(mut job: Job, mode: Mode, interrupt: Interrupt, report: Arc<Mutex<Report>>) {
    let report = || locked(&report);
    let (who, stores) = (job.who.clone(), job.stores.clone());
    let failed = |failure| report().ended(&who, &stores, Ended::Failed(failure));
    let Found { tags, sending, missing, drift } = match look_for(&mut job).await {
        Ok(found) => found,
        Err(failure) => return failed(failure),
    };
    // what it lacks is given to it before it is to send
    let gets_permission = drift.iter().any(|drift| !matches!(drift, Drift::Region { .. }));
    let sending = match mode {
        Mode::DryRun if gets_permission => Sending::Allowed,
        _ => sending,
    };
    let declared = job.create.clone();
    let (account, rotation) = match rotation(job, tags, sending) {
        Ok(both) => both,
        Err(failure) => return failed(failure),
    };
    if let (Some(request), true) = (&declared, missing)
        && let Err(failure) = ready(&account, &rotation, request).await
    {
        return failed(failure);
    }
    if let Some(request) = &declared {
        let on_event = &mut |event| report().made(&who, &explain::create::event(&event));
        let made = match (mode, missing) {
            (Mode::DryRun, true) => look_at_user(&account, request, on_event).await,
            (Mode::DryRun, false) => Ok(()),
            (Mode::Run, true) => make(&account, request, interrupt.clone(), on_event).await,
            (Mode::Run, false) => {
                converge(&account, request, &drift, interrupt.clone(), on_event).await
            }
        };
        if let Err(error) = made {
            return failed(explain::create::failure(&error, request));
        }
        if mode == Mode::Run {
            drift.iter().for_each(|drift| report().made(&who, &explain::create::drift(drift).1));
        }
    }
    match (mode, &declared) {
        (Mode::DryRun, Some(request)) if missing => {
            let steps = rotation::forecast(&new_user(&rotation, &account), &rotation.goal);
            let made = making(request, report().tells_all());
            report().would(&who, &rotation, &made, &steps);
        }
        (Mode::DryRun, _) => match forecast(&account, &rotation).await {
            Ok(steps) => {
                let lines: Vec<String> =
                    drift.iter().map(|drift| explain::create::drift(drift).0).collect();
                report().would(&who, &rotation, &lines, &steps);
            }
            Err(failure) => failed(explain::rotation::failure(&failure, &rotation)),
        },
        (Mode::Run, _) => {
            let on_event = &mut |event| report().event(&who, &rotation, event);
            let ended = match rotate(&account, &rotation, interrupt, on_event).await {
                Ok(outcome) => Ended::Out(Box::new(outcome), Box::new(rotation.clone())),
                Err(error) => Ended::Failed(explain::rotation::run(&error, &rotation)),
            };
            report().ended(&who, &stores, ended);
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.user)?;
        self.account.iter().try_for_each(|account| write!(f, " in {account}"))
    }
}

/// What was found of a user.
#[derive(Default)]
struct Found {
    tags: Option<Vec<(String, String)>>,
    sending: Sending,
    /// Whether there is no such user, and there is to be one.
    missing: bool,
    /// What it lacks of what was declared.
    drift: Vec<Drift>,
}

/// Looks for the user, and for what was declared of it.
async fn look_for(job: &mut Job) -> Result<Found> {
    let user = &job.who.user;
    if let Some((details, sending)) = job.known.take() {
        return Ok(found(details, sending, job.create.as_ref()));
    }
    if let Some(request) = &job.create {
        match job.account.details_of(user).await {
            Ok(details) => {
                let sending = sending_of(&job.account, &details).await;
                return Ok(found(details, sending, Some(request)));
            }
            Err(error) if error.is_no_such_entity() => {
                let tags = Some(request.tags.clone());
                return Ok(Found { tags, missing: true, ..Found::default() });
            }
            // who may not look at its policies may do the rest
            Err(error) if error.is_access_denied() => {}
            Err(error) => return Err(explain::rotation::call(&error)),
        }
    }
    let tags =
        job.account.tags_of_user(user).await.map_err(|error| explain::rotation::call(&error))?;
    Ok(Found { tags: Some(tags), ..Found::default() })
}

/// Who may not ask goes on as if it may.
async fn sending_of(account: &Account, details: &UserDetails) -> Sending {
    account.sending_within(details).await.unwrap_or_default()
}

fn found(details: UserDetails, sending: Sending, declared: Option<&CreateRequest>) -> Found {
    let drift: Vec<Drift> =
        declared.map(|request| drift(&details, &sending, request)).into_iter().flatten().collect();
    // what is put right is asked for again
    let sending = if drift.is_empty() { sending } else { Sending::Unknown };
    Found { tags: Some(details.tags), sending, missing: false, drift }
}

/// Makes the user. One that somebody else has made meanwhile is as good.
async fn make(
    account: &Account,
    request: &CreateRequest,
    interrupt: Interrupt,
    on_event: &mut (dyn FnMut(Making) + Send),
) -> std::result::Result<(), CreateError> {
    match create_user(account, request, interrupt.clone(), on_event).await {
        Err(error) if error.user_exists() => {
            let drift = match account.details_of(request.user_name.as_str()).await {
                Ok(details) => drift(&details, &sending_of(account, &details).await, request),
                Err(_) => vec![],
            };
            converge(account, request, &drift, interrupt, on_event).await
        }
        made => made.map(drop),
    }
}

/// How a user is to be made, in lines.
fn making(request: &CreateRequest, tells_all: bool) -> Vec<String> {
    let permission = match &request.style {
        Style::Group => format!("put it into the group {SENDING_GROUP}"),
        Style::Inline { .. } if !tells_all => {
            format!("give it the policy {SENDING_POLICY}; -v shows it")
        }
        Style::Inline { policy } => {
            let policy = serde_json::from_str::<serde_json::Value>(policy).unwrap_or_default();
            format!("give it the policy {SENDING_POLICY}: {policy}")
        }
    };
    let CreateRequest { user_name, path, .. } = request;
    vec![format!("create the IAM user {}{user_name}", path.as_str()), permission]
}

/// Finds the region, and with it the endpoint. Gives the account as its stores are to be read.
fn rotation(
    job: Job,
    tags: Option<Vec<(String, String)>>,
    sending: Sending,
) -> Result<(Account, Rotation)> {
    let Job { who: Who { user, .. }, goal, plan, mut stores, hook, now, wait, .. } = job;
    let tag = tags.iter().flatten().find(|(key, _)| key == REGION_TAG).map(|(_, region)| region);
    let tag = tag.map(|region| aws::parse_region(region, true)).transpose()?;
    let region = match (job.region, tag) {
        (Some(region), Some(tag)) if region != tag => {
            return Err(contradiction(&tag, &region));
        }
        (Some(region), _) | (None, Some(region)) => region,
        (None, None) => job.usual_region.ok_or_else(|| {
            Failure::usage(
                format!("the region of {user} is unknown: it has no tag {REGION_TAG}"),
                "name it by --region: an SMTP password is for one region",
            )
        })?,
    };
    let proof = |region: &Region| -> Result<Proof> {
        Ok(Proof::new(job.client.clone(), smtp::server(&job.endpoint, Some(region), None, None)?))
    };
    let usual = proof(&region)?;
    // whoever reads a store logs in where the credential is proven
    let Server { host, port, .. } = &usual.server;
    let account = match job.endpoint.smtp_endpoint {
        None => job.account,
        Some(_) => job.account.with_smtp_endpoint(host, *port),
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
        forgoes_notes: job.forgoes_notes,
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

fn contradiction(tag: &Region, region: &Region) -> Failure {
    Failure::usage(
        format!("its credential is for {tag}, as the tag {REGION_TAG} says, and not for {region}"),
        format!(
            "for one region more, name it in a store, such as file:PATH?region={region}; to leave {tag}, change the tag"
        ),
    )
}

/// What will be seen of a user that is yet to be made.
fn new_user(rotation: &Rotation, account: &Account) -> Seen {
    let region = |store: &Store| store.region_or(&rotation.region).clone();
    let empty = |store: &Store| rotation::Store::new(store.id(&rotation.region), region(store));
    let now = account.now().unwrap_or_else(jiff::Timestamp::now);
    Seen { stores: rotation.stores.iter().map(empty).collect(), ..Seen::at(now, RunId::of("", "")) }
}
