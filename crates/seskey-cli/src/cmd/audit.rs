//! `seskey audit`: finds faults of the users that send by SMTP, in one account, in all accounts that a `seskey.toml`
//! declares, or in an organization.

mod csv;
mod explained;
mod html;
mod json;
mod metrics;
mod ocsf;
mod sarif;
mod table;

use std::{collections::BTreeSet, num::NonZeroU32, path::PathBuf};

use jiff::Timestamp;
use seskey::{
    audit::{self, Finding, Limits, Reach, Severity, Snapshot},
    fleet::Credential,
};
use seskey_aws::{Account, Error};

use crate::{
    args::{
        Global,
        audit::{Audit, Format},
    },
    cmd::fleet::{
        self,
        organization::{self, Whole},
    },
    connect::aws,
    exit::Exit,
    explain::{self, Failure, Result},
    output::Output,
    output_file::OutputFile,
};

/// The audited accounts, and the options of the report.
struct Report {
    accounts: Vec<Audited>,
    /// The file that declares them.
    file: Option<PathBuf>,
    limits: Limits,
    least: Severity,
    user: Option<String>,
    /// The number of accounts that could not be read.
    unread: usize,
}

/// An audited account.
struct Audited {
    /// The name in the file, if there are several accounts.
    name: Option<String>,
    /// The name in the file, even of a lone account.
    declared_as: Option<String>,
    snapshot: Snapshot,
    audit: audit::Audit,
    /// The rows of the file that belong to it.
    declared: Option<Vec<Credential>>,
}

/// An account to audit, with the rows of the file that belong to it.
struct Reached {
    name: Option<String>,
    declared_as: Option<String>,
    account: Account,
    reach: Reach,
    declared: Option<Vec<Credential>>,
}

pub(crate) fn run(args: &Audit, global: &Global, output: &Output) -> Result<Exit> {
    if let Some(control) = args.explain.as_deref().filter(|control| !audit::is_control(control)) {
        return Err(Failure::usage(
            format!("no finding answers a control {control}"),
            "such as IAM.3, IAM.22 or key-unused; docs/audit.md lists them",
        ));
    }
    let file = args.metrics.as_deref().map(OutputFile::again).transpose()?;
    let limits = Limits { max_age: args.max_age, unused: args.unused };
    let (accounts, failures) = aws::block_on(audited(args, global, &limits, output))??;
    let mut failures = failures.into_iter();
    if accounts.is_empty()
        && let Some(failure) = failures.next()
    {
        failures.for_each(|failure| output.failure(&failure, std::iter::empty()));
        return Err(failure);
    }
    if let Some(user) = &args.user
        && failures.len() == 0
        && !accounts.iter().any(|of| of.knows(user))
    {
        return Err(no_user(user));
    }
    let report = Report {
        accounts,
        file: args.accounts.file.clone(),
        limits,
        least: args.severity.into(),
        user: args.user.clone(),
        unread: failures.len(),
    };
    let written = file.map(|file| file.finish(&metrics::answer(&report))).transpose();
    let found = match &args.explain {
        Some(control) => explained::tell(&report, control, output)?,
        None => {
            let format = if output.json { Format::Json } else { args.format };
            tell(&report, format, output)?;
            report.findings().count() > 0
        }
    };
    written?;
    let mut exit = if found && args.exit_code { Exit::Findings } else { Exit::Done };
    for failure in failures {
        output.failure(&failure, std::iter::empty());
        exit = Exit::Failed;
    }
    Ok(exit)
}

fn no_user(user: &str) -> Failure {
    Failure::new(
        format!("there is no user {user}"),
        "seskey list --all shows the users that there are",
    )
}

fn tell(report: &Report, format: Format, output: &Output) -> Result<()> {
    match format {
        Format::Table => table::tell(report, output)?,
        Format::Json => output.answer_json(&json::answer(report))?,
        Format::Csv => output.answer(&csv::answer(report))?,
        Format::Ocsf => output.answer_json(&ocsf::answer(report))?,
        Format::Sarif => output.answer_json(&sarif::answer(report))?,
        Format::Html => output.answer(&html::answer(report))?,
        Format::Metrics => output.answer(&metrics::answer(report))?,
    }
    Ok(())
}

/// Audits several accounts at the same time. An account that cannot be read does not stop the others.
async fn audited(
    args: &Audit,
    global: &Global,
    limits: &Limits,
    output: &Output,
) -> Result<(Vec<Audited>, Vec<Failure>)> {
    let spinner = output.spinner();
    spinner.set_message("reading the account");
    let Wanted { accounts, absent, at_a_time } = wanted(args, global, output).await?;
    let close = args.explain.as_ref().and(args.user.as_deref());
    let audits = accounts.into_iter().map(|of| audit(of, limits, close));
    let mut audited = vec![];
    let mut failures = absent;
    for one in aws::several_at_a_time(audits, at_a_time).await {
        match one {
            Ok(one) => audited.push(one),
            Err(failure) => failures.push(failure),
        }
    }
    spinner.finish_and_clear();
    Ok((audited, failures))
}

async fn audit(of: Reached, limits: &Limits, close: Option<&str>) -> Result<Audited> {
    let Reached { name, declared_as, account, reach, declared } = of;
    match seskey_aws::audit::audit(&account, declared.as_deref(), limits, reach, close).await {
        Ok((snapshot, audit)) => Ok(Audited { name, declared_as, snapshot, audit, declared }),
        Err(error) => Err(failure(&error, name)),
    }
}

fn failure(error: &Error, name: Option<String>) -> Failure {
    let failure = explain::aws::failure(error);
    name.iter().fold(failure, |failure, name| failure.of(&format!("the account {name}")))
}

/// The accounts to audit.
struct Wanted {
    accounts: Vec<Reached>,
    /// The accounts that the file names and the organization lacks.
    absent: Vec<Failure>,
    at_a_time: NonZeroU32,
}

async fn wanted(args: &Audit, global: &Global, output: &Output) -> Result<Wanted> {
    let (profile, endpoint_url) = (global.profile.as_deref(), global.endpoint_url.as_deref());
    let Some(whole) = organization::typed(&args.accounts, global, output).await? else {
        let account = aws::account_of_many(global).await;
        let reach = Reach::with(profile, endpoint_url);
        let alone = Reached { name: None, declared_as: None, account, reach, declared: None };
        return Ok(Wanted { accounts: vec![alone], absent: vec![], at_a_time: NonZeroU32::MIN });
    };
    let Whole { fleet, states } = whole;
    let is_alone = !fleet.has_several_accounts();
    let is_compared = args.accounts.file.is_some();
    let mut accounts = vec![];
    for (name, declared) in &fleet.accounts {
        let of_it = fleet.credentials.iter().filter(|row| row.account == *name).cloned();
        accounts.push(Reached {
            name: (!is_alone).then(|| name.clone()),
            declared_as: Some(name.clone()),
            reach: Reach::declared(name, declared, is_alone, profile, endpoint_url),
            account: fleet::connect(declared, &fleet, global).await,
            declared: is_compared.then(|| of_it.collect()),
        });
    }
    let named: BTreeSet<&String> = fleet.credentials.iter().map(|row| &row.account).collect();
    let absent = named.into_iter().filter(|name| !fleet.accounts.contains_key(*name));
    let absent = absent.map(|name| explain::organization::absent(name, states.get(name)));
    Ok(Wanted { accounts, absent: absent.collect(), at_a_time: fleet.concurrency })
}

impl Audited {
    /// Returns the name in the file, or the account ID without a file.
    fn label(&self) -> &str {
        self.declared_as.as_ref().unwrap_or(&self.snapshot.account)
    }

    /// Whether the user is in the account, or declared for it.
    fn knows(&self, user: &str) -> bool {
        let is_declared = self.declared.iter().flatten().any(|row| row.user.as_str() == user);
        is_declared || self.snapshot.users.iter().any(|it| it.name == user)
    }
}

impl Report {
    /// Returns the findings of the report with their accounts, the most severe first.
    fn findings(&self) -> impl Iterator<Item = (&Audited, &Finding)> {
        let all =
            self.accounts.iter().flat_map(|of| of.audit.findings.iter().map(move |it| (of, it)));
        let is_told = |(_, finding): &(&Audited, &Finding)| {
            finding.severity >= self.least && self.is_wanted(&finding.user)
        };
        let mut told: Vec<_> = all.filter(is_told).collect();
        told.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity));
        told.into_iter()
    }

    /// Counts the users in the report that send by SMTP.
    fn users(&self) -> usize {
        let senders = self.accounts.iter().flat_map(|of| of.audit.senders.keys());
        senders.filter(|name| self.is_wanted(name)).count()
    }

    fn is_wanted(&self, user: &str) -> bool {
        self.user.as_deref().is_none_or(|wanted| wanted == user)
    }

    /// Counts the findings of each severity, the most severe first. A severity without findings is left out.
    fn counts(&self) -> Vec<(Severity, usize)> {
        let all = [Severity::High, Severity::Medium, Severity::Low, Severity::Informational];
        let count = |severity| self.findings().filter(|(_, it)| it.severity == severity).count();
        all.map(|severity| (severity, count(severity)))
            .into_iter()
            .filter(|(_, n)| *n > 0)
            .collect()
    }

    /// Returns a summary such as `3 findings (1 high, 2 low); 20 users send by SMTP`.
    fn summary(&self) -> String {
        let counts: Vec<String> =
            self.counts().iter().map(|(severity, count)| format!("{count} {severity}")).collect();
        let found = match self.findings().count() {
            0 => "no finding".to_owned(),
            1 => format!("1 finding ({})", counts.join(", ")),
            count => format!("{count} findings ({})", counts.join(", ")),
        };
        match self.users() {
            1 => format!("{found}; 1 user sends by SMTP"),
            users => format!("{found}; {users} users send by SMTP"),
        }
    }

    /// Returns the latest time at which an account was read.
    fn now(&self) -> Timestamp {
        self.accounts.iter().map(|of| of.snapshot.now).max().unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Returns the ID of the access key of a finding.
fn key_id(finding: &Finding) -> Option<&str> {
    finding.key.as_ref()?.id.as_deref()
}
