//! `seskey plan` and `seskey apply`: every credential that `seskey.toml` declares is created, rotated and delivered.

pub(super) mod organization;

use std::{
    collections::BTreeMap,
    fs, io,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use seskey::{
    Fleet, Region,
    fleet::{self, Credential},
    policy::{Reach, SendingPolicy},
    rotation::Sending,
    store::{Kubectl, Store, StoreKind},
    user::REGION_TAG,
};
use seskey_aws::{
    Account, Options, Role,
    iam::UserDetails,
    lifecycle::create::{CreateRequest, Style},
    smtp::Client,
};

use self::organization::Whole;
use crate::{
    args::{
        Endpoint, Global,
        fleet::{Apply, Fleet as Typed, Plan},
        rotate,
    },
    cmd::policy,
    connect::{aws, smtp},
    exit::Exit,
    explain::{self, Failure, Result},
    output::Output,
    rotations::{self, Done, Job, Jobs, Metrics, Mode, Records, Target, Who},
};

pub(crate) fn plan(args: &Plan, global: &Global, output: &Output) -> Result<Exit> {
    let records = Records::open(&rotate::Records::default())?;
    let fleet = read(&args.fleet.file)?;
    let Done { exit, has_changes, .. } =
        run(&args.fleet, &fleet, Mode::DryRun, Duration::ZERO, records, global, output)?;
    let found = args.exit_code && has_changes && exit == Exit::Done;
    Ok(if found { Exit::Findings } else { exit })
}

pub(crate) fn apply(args: &Apply, global: &Global, output: &Output) -> Result<Exit> {
    let fleet = read(&args.fleet.file)?;
    let only = fleet.accounts.keys().next().cloned().unwrap_or_default();
    let metrics = args.metrics.as_ref().map(|path| Metrics::open(path, only)).transpose()?;
    let records = Records::open(&args.records)?.with_metrics(metrics);
    let wait = args.wait.wait.unsigned_abs();
    Ok(run(&args.fleet, &fleet, Mode::Run, wait, records, global, output)?.exit)
}

/// An account of the file, with its SMTP client and endpoint.
#[derive(Clone)]
struct Reached {
    account: Account,
    client: Client,
    endpoint: Endpoint,
    /// Its users, and whether they may send; empty unless several of them are wanted.
    users: BTreeMap<String, (UserDetails, Sending)>,
}

fn run(
    typed: &Typed,
    fleet: &Fleet,
    mode: Mode,
    wait: Duration,
    mut records: Records,
    global: &Global,
    output: &Output,
) -> Result<Done> {
    let wanted = Wanted { users: &typed.users, account: None };
    aws::block_on(async {
        let jobs = jobs(fleet, &typed.file, wanted, wait, &mut records, global, output).await?;
        let concurrency = NonZeroUsize::try_from(fleet.concurrency).unwrap_or(NonZeroUsize::MIN);
        rotations::run(jobs, mode, concurrency, records, output.clone()).await
    })?
}

/// The credentials of a file to go through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The users, in place of all.
    pub(super) users: &'a [String],
    /// The account, in place of all.
    pub(super) account: Option<&'a str>,
}

/// Returns the jobs that the file declares, for a run that is about to begin. A job whose account is not in the
/// organization is barred.
pub(super) async fn jobs(
    fleet: &Fleet,
    file: &Path,
    Wanted { users, account }: Wanted<'_>,
    wait: Duration,
    records: &mut Records,
    global: &Global,
    output: &Output,
) -> Result<Jobs> {
    let Whole { fleet, states } =
        &organization::whole(fleet.clone(), file, account, global, output).await?;
    let is_known = |name: &str| {
        let mut named = fleet.credentials.iter();
        fleet.accounts.contains_key(name) || named.any(|credential| credential.account == name)
    };
    let wanted = |credential: &&Credential| {
        (users.is_empty() || users.iter().any(|user| user == credential.user.as_str()))
            && account.is_none_or(|account| account == credential.account)
    };
    if let Some(name) = account.filter(|name| !is_known(name)) {
        return Err(Failure::usage(
            format!("{} declares no account {name}", file.display()),
            "check the name",
        ));
    }
    let credentials: Vec<&Credential> = fleet.credentials.iter().filter(wanted).collect();
    for user in users {
        if !credentials.iter().any(|credential| credential.user.as_str() == user) {
            return Err(Failure::usage(
                format!("{} declares no user {user}", file.display()),
                "check the name",
            ));
        }
    }
    if fleet.credentials.is_empty() {
        output.warn(&format!("{} declares no credential", file.display()));
    }
    for credential in credentials.iter().filter(|credential| credential.goal.is_crowded()) {
        output.warn(&format!(
            "{}: grace and quarantine together are longer than the greatest age of a key: it is rotated late",
            credential.user
        ));
    }
    let several = fleet.has_several_accounts();
    let mut asked = vec![];
    for (name, account) in &fleet.accounts {
        let users = credentials.iter().filter(|credential| credential.account == *name).count();
        if users > 0 {
            let reached = reach(account, fleet, file, global).await?;
            let records = &*records;
            asked.push(async move {
                let caller = records.caller(&reached.account).await;
                (name, caller, with_users(reached, users).await)
            });
        }
    }
    let mut accounts = BTreeMap::new();
    for (name, caller, reached) in aws::several_at_a_time(asked, fleet.concurrency).await {
        records.begin(several.then_some(name), caller);
        accounts.insert(name, reached);
    }
    let mut jobs = Jobs::default();
    for credential in credentials {
        let name = &credential.account;
        let several = several.then_some(name);
        match accounts.get(name) {
            Some(account) => jobs.ready.push(job(credential, account, several, file, wait)?),
            None => {
                let who = Who { user: credential.user.to_string(), account: several.cloned() };
                let failure = explain::organization::absent(name, states.get(name));
                jobs.barred.push((who, credential.stores.clone(), failure));
            }
        }
    }
    Ok(jobs)
}

/// Returns the job of one credential.
pub(super) async fn job_of(
    credential: &Credential,
    fleet: &Fleet,
    file: &Path,
    global: &Global,
) -> Result<Job> {
    let reached = reach(&fleet.accounts[&credential.account], fleet, file, global).await?;
    job(credential, &reached, None, file, Duration::ZERO)
}

pub(super) fn read(path: &Path) -> Result<Fleet> {
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure {
            hint: "--file names another one; docs/fleet.md shows how to begin".to_owned(),
            ..Failure::file("read", path, &error)
        },
        _ => Failure::file("read", path, &error),
    })?;
    Fleet::parse(&text).map_err(|errors| explain::input::fleet(&errors, path))
}

pub(super) async fn connect(account: &fleet::Account, fleet: &Fleet, global: &Global) -> Account {
    let role = |role: &fleet::Role| Role {
        arn: role.arn.clone(),
        external_id: role.external_id.clone(),
        session_name: None,
    };
    Account::connect(&Options {
        profile: account.profile.clone().or_else(|| global.profile.clone()),
        endpoint_url: account.endpoint_url.clone().or_else(|| global.endpoint_url.clone()),
        roles: account.roles.iter().map(role).collect(),
        calls_per_second: Some(fleet.calls_per_second),
        ..Options::default()
    })
    .await
}

async fn reach(
    account: &fleet::Account,
    fleet: &Fleet,
    file: &Path,
    global: &Global,
) -> Result<Reached> {
    let reached = connect(account, fleet, global).await;
    let usual = smtp::of_environment();
    let endpoint = Endpoint {
        smtp_endpoint: account.smtp_endpoint.clone().or(usual.smtp_endpoint),
        ca_file: account.ca_file.as_ref().map(|path| beside(file, path)).or(usual.ca_file),
        ..usual
    };
    let client = smtp::client(&endpoint)?;
    Ok(Reached { account: reached, client, endpoint, users: BTreeMap::new() })
}

/// Adds the users of the account, if several are wanted: one long list is cheaper than a call a user. A caller that may
/// not read the list asks for each.
async fn with_users(reached: Reached, wanted: usize) -> Reached {
    let senders = match wanted > 1 {
        true => reached.account.senders().await.unwrap_or_default(),
        false => vec![],
    };
    let users =
        senders.into_iter().map(|(user, sending)| (user.name.clone(), (user, sending))).collect();
    Reached { users, ..reached }
}

fn job(
    credential: &Credential,
    reached: &Reached,
    account: Option<&String>,
    file: &Path,
    wait: Duration,
) -> Result<Job> {
    let user = credential.user.to_string();
    let usual_region = reached.account.region().and_then(|text| Region::parse(text).ok());
    let create = match credential.create {
        true => Some(create(credential, usual_region.as_ref())?),
        false => None,
    };
    let target = Target {
        account: reached.account.clone(),
        region: credential.region.clone(),
        usual_region,
        client: reached.client.clone(),
        endpoint: reached.endpoint.clone(),
    };
    let mut goal = credential.goal.clone();
    goal.wait_unused = credential.wait_unused;
    let stores = credential.stores.iter().map(|store| store_beside(file, store)).collect();
    let known = reached.users.get(&user).cloned();
    let who = Who { user, account: account.cloned() };
    let job = Job::new(who, target, goal, stores).with_hook(credential.after.as_deref());
    Ok(Job { known, create, wait, ..job })
}

/// Resolves a path of the file, which begins in the file's folder.
fn beside(file: &Path, path: &Path) -> PathBuf {
    file.parent().map_or_else(|| path.to_owned(), |folder| folder.join(path))
}

fn store_beside(file: &Path, store: &Store) -> Store {
    let mut store = store.clone();
    match &mut store.kind {
        StoreKind::File { path, .. } => *path = beside(file, path),
        StoreKind::Kubernetes(Kubectl { kubeconfig: Some(path), .. }) => {
            *path = beside(file, path);
        }
        StoreKind::Kubernetes(_)
        | StoreKind::SecretsManager(_)
        | StoreKind::Ssm(_)
        | StoreKind::Exec { .. } => {}
    }
    store
}

fn create(credential: &Credential, usual_region: Option<&Region>) -> Result<CreateRequest> {
    let region = credential.region.as_ref().or(usual_region).ok_or_else(|| {
        Failure::usage(
            format!("no region is given for {}", credential.user),
            "name it in the file, such as region = \"us-east-1\"",
        )
    })?;
    let style = match credential.from.is_empty() {
        true => Style::Group,
        false => {
            let policy = SendingPolicy {
                reach: Reach::Region(region.clone()),
                from_addresses: credential.from.clone(),
                ..SendingPolicy::default()
            };
            Style::Inline { policy: policy::document(&policy)? }
        }
    };
    Ok(CreateRequest {
        user_name: credential.user.clone(),
        path: credential.path.clone(),
        tags: vec![(REGION_TAG.to_owned(), region.to_string())],
        permissions_boundary: None,
        style,
        region: region.clone(),
        proof: None,
    })
}
