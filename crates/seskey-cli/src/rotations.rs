//! Rotates any number of users, several at a time, each for itself, and tells what comes of each.

mod explain;
mod records;
mod report;
mod words;

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex},
};

use seskey::{
    Region,
    rotation::{Goal, Seen, Step},
    store::Store,
    user::REGION_TAG,
};
use seskey_aws::{
    Account,
    lifecycle::{
        Interrupt,
        prove::Proof,
        rotate::{Hook, Rotation, rotate},
    },
    smtp::Client,
};
use tokio::task::JoinSet;

pub(crate) use self::records::Records;
use self::report::{Ended, Report};
use crate::{
    args::Endpoint,
    aws,
    exit::Exit,
    explain::{Failure, Result},
    output::Output,
    smtp,
};

/// One user to be rotated.
pub(crate) struct Job {
    pub(crate) who: Who,
    pub(crate) account: Account,
    /// The region of its credential, in place of the one in its tag.
    pub(crate) region: Option<Region>,
    /// The region where there is no tag.
    pub(crate) usual_region: Option<Region>,
    /// Its tags, where they are known from a list.
    pub(crate) tags: Option<Vec<(String, String)>>,
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
}

/// Who it is about.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    /// The name of the IAM user.
    pub(crate) user: String,
    /// The account, as the fleet's file calls it.
    pub(crate) account: Option<String>,
}

/// Rotates all of them, `concurrency` at a time. One user's failure does not stop the others.
pub(crate) async fn run(
    jobs: Vec<Job>,
    concurrency: NonZeroUsize,
    records: Records,
    interrupt: Interrupt,
    output: Output,
) -> Result<Exit> {
    let report = Arc::new(Mutex::new(Report::new(jobs.len(), records, output)));
    let mut running = JoinSet::new();
    for job in jobs {
        if running.len() >= concurrency.get() {
            running.join_next().await;
        }
        running.spawn(rotate_one(job, interrupt.clone(), Arc::clone(&report)));
    }
    while running.join_next().await.is_some() {}
    let report = Arc::into_inner(report).expect("every task is over");
    report.into_inner().expect(NOBODY_PANICS).finish().await
}

async fn rotate_one(job: Job, interrupt: Interrupt, report: Arc<Mutex<Report>>) {
    let report = || report.lock().expect(NOBODY_PANICS);
    let (who, account) = (job.who.clone(), job.account.clone());
    let rotation = match prepare(job).await {
        Ok(rotation) => rotation,
        Err(failure) => return report().ended(&who, &[], Ended::Failed(failure)),
    };
    let on_event = &mut |event| report().event(&who, &rotation, event);
    let ended = match rotate(&account, &rotation, interrupt, on_event).await {
        Ok(outcome) => Ended::Out(outcome),
        Err(error) => Ended::Failed(explain::rotation(&error, &rotation)),
    };
    report().ended(&who, &rotation.stores, ended);
}

/// Finds the region, and with it the endpoint.
async fn prepare(job: Job) -> Result<Rotation> {
    let Job { who: Who { user, .. }, account, goal, plan, stores, hook, now, .. } = job;
    let tags = match job.tags {
        Some(tags) => tags,
        None => account.tags_of_user(&user).await.map_err(|error| aws::failure(&error))?,
    };
    let tag = tags.iter().find(|(key, _)| key == REGION_TAG).map(|(_, region)| region);
    let region = match (job.region, tag) {
        (Some(region), _) => region,
        (None, Some(region)) => aws::parse_region(region, true)?,
        (None, None) => job.usual_region.ok_or_else(|| {
            Failure::usage(
                format!("the region of {user} is unknown: it has no tag {REGION_TAG}"),
                "name it by --region: an SMTP password is for one region",
            )
        })?,
    };
    let proof = Proof::new(job.client, smtp::server(&job.endpoint, &region, None, None)?);
    let tags = Some(tags);
    Ok(Rotation { user, region, goal, plan, stores, hook, proof, now, tags })
}

const NOBODY_PANICS: &str = "nobody panics while holding the lock";
