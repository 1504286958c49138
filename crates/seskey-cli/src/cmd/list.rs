//! `seskey list`: lists the users that may send, with their keys, in one account, in all accounts that a `seskey.toml`
//! declares, or in an organization.

mod select;

use comfy_table::{Table, presets::NOTHING};
use jiff::Timestamp;
use serde_json::{Value, json};
use seskey_aws::{
    Account, Error,
    iam::{KeyStatus, LastUsed},
    lifecycle::list::{ListedKey, SmtpUser, Style, list},
};

use self::select::Filter;
use crate::{
    args::{Global, List},
    cmd::fleet::organization::accounts,
    connect::aws,
    exit::Exit,
    explain::{self, Result},
    output::{Output, printable},
};

/// The users of an account.
struct Listed {
    /// The name of the account in the fleet's file, if there are several.
    account: Option<String>,
    users: std::result::Result<Vec<SmtpUser>, Error>,
    now: Timestamp,
}

/// A line of the table: a key, or a user without keys.
struct Row<'a> {
    account: Option<&'a str>,
    user: &'a SmtpUser,
    key: Option<&'a ListedKey>,
    now: Timestamp,
}

pub(crate) fn run(args: &List, global: &Global, output: &Output) -> Result<Exit> {
    let filters = args.filter.iter().map(|text| Filter::parse(text)).collect::<Result<Vec<_>>>()?;
    let listed = aws::block_on(async {
        let (accounts, at_a_time) = accounts(&args.accounts, global, output).await?;
        let spinner = output.spinner();
        spinner.set_message("reading the users of the account");
        let reads = accounts.into_iter().map(|(name, account)| read(name, account, args.all));
        let listed = aws::several_at_a_time(reads, at_a_time).await;
        spinner.finish_and_clear();
        Result::Ok(listed)
    })??;
    let mut failures = vec![];
    for listed in &listed {
        if let Err(error) = &listed.users {
            let failure = explain::aws::failure(error);
            let of = listed.account.as_ref().map(|name| format!("the account {name}"));
            failures.push(of.iter().fold(failure, |failure, of| failure.of(of)));
        }
    }
    if listed.len() == failures.len()
        && let Some(failure) = failures.pop()
    {
        failures.iter().for_each(|failure| output.failure(failure, std::iter::empty()));
        return Err(failure);
    }
    let mut rows: Vec<Row<'_>> = listed.iter().flat_map(rows).collect();
    let is_empty = rows.is_empty();
    rows.retain(|row| filters.iter().all(|filter| filter.fits(row)));
    if let Some(column) = args.sort {
        rows.sort_by_cached_key(|row| select::key(row, column));
    }
    if output.json {
        output.answer_json(&Value::Array(answer(&rows)))?;
    } else if !rows.is_empty() {
        output.answer(&table(&rows))?;
    } else {
        output.note(match (is_empty, args.all) {
            (false, _) => "no user is left by --filter",
            (true, true) => "there is no user",
            (true, false) => "no user may send; seskey create makes one",
        });
    }
    failures.iter().for_each(|failure| output.failure(failure, std::iter::empty()));
    Ok(if failures.is_empty() { Exit::Done } else { Exit::Failed })
}

async fn read(name: Option<String>, account: Account, all: bool) -> Listed {
    let users = list(&account, all).await;
    // the machine's clock may be wrong, and the clock of a local SES may be moved
    Listed { account: name, users, now: account.now().unwrap_or_else(Timestamp::now) }
}

fn rows(Listed { account, users, now }: &Listed) -> impl Iterator<Item = Row<'_>> {
    users.iter().flatten().flat_map(move |user| {
        let row = move |key| Row { account: account.as_deref(), user, key, now: *now };
        let keyless = user.keys.is_empty().then(|| row(None));
        user.keys.iter().map(move |key| row(Some(key))).chain(keyless)
    })
}

fn table(rows: &[Row<'_>]) -> String {
    let has_account = rows.iter().any(|row| row.account.is_some());
    let mut lines = Table::new();
    let header = [
        "ACCOUNT",
        "USER",
        "STYLE",
        "REGION",
        "ACCESS KEY",
        "STATUS",
        "AGE",
        "LAST USED",
        "FINDING",
    ];
    lines.load_style(NOTHING).set_header(header.iter().skip(usize::from(!has_account)));
    for Row { account, user, key, now } in rows {
        let name = printable(&format!("{}{}", user.path.trim_start_matches('/'), user.name));
        let region = printable(user.region.as_deref().unwrap_or("-"));
        let (id, status, age, used) = match key {
            None => ["-"; 4].map(str::to_owned).into(),
            Some(ListedKey { key, last_used }) => (
                key.id.clone(),
                status(&key.status).to_owned(),
                key.created.map_or_else(|| "-".to_owned(), |created| days(created, *now)),
                last_used.as_ref().map_or_else(
                    || "never".to_owned(),
                    |used| format!("{} ago", days(used.at, *now)),
                ),
            ),
        };
        let style = style(user.style).unwrap_or("-").to_owned();
        let worst = user.worst.as_ref().map_or("-", |finding| finding.kind.id).to_owned();
        let cells = [name, style, region, id, status, age, used, worst];
        let account = has_account.then(|| account.unwrap_or("-").to_owned());
        lines.add_row(account.into_iter().chain(cells));
    }
    lines.lines().map(|line| format!("{}\n", line.trim())).collect()
}

/// Returns an object for each user, with the keys that the filters left.
fn answer(rows: &[Row<'_>]) -> Vec<Value> {
    let mut users: Vec<(Option<&str>, &str, Value)> = vec![];
    for Row { account, user, key, .. } in rows {
        let place = users.iter().position(|(a, arn, _)| a == account && *arn == user.arn);
        let place = place.unwrap_or_else(|| {
            users.push((*account, &user.arn, of_user(user, *account)));
            users.len() - 1
        });
        if let (Some(key), Some(keys)) = (key, users[place].2["access_keys"].as_array_mut()) {
            keys.push(of_key(key));
        }
    }
    users.into_iter().map(|(_, _, user)| user).collect()
}

fn of_user(user: &SmtpUser, account: Option<&str>) -> Value {
    let mut row = json!({
        "user_name": user.name,
        "path": user.path,
        "user_arn": user.arn,
        "created": user.created.map(|at| at.to_string()),
        "style": style(user.style),
        "region": user.region,
        "access_keys": [],
        "worst_finding": user.worst.as_ref().map(|finding| {
            json!({"id": finding.kind.id, "severity": finding.severity.as_str()})
        }),
    });
    if let Some(account) = account {
        row["account"] = account.into();
    }
    row
}

fn of_key(ListedKey { key, last_used }: &ListedKey) -> Value {
    let last_used = last_used.as_ref().map(|LastUsed { at, region, service }| {
        json!({"date": at.to_string(), "region": region, "service": service})
    });
    json!({
        "access_key_id": key.id,
        "status": status(&key.status),
        "created": key.created.map(|at| at.to_string()),
        "last_used": last_used,
    })
}

fn style(style: Option<Style>) -> Option<&'static str> {
    style.map(|style| match style {
        Style::Group => "group",
        Style::Inline => "inline",
        Style::Other => "other",
    })
}

fn status(status: &KeyStatus) -> &str {
    match status {
        KeyStatus::Active => "Active",
        KeyStatus::Inactive => "Inactive",
        KeyStatus::Expired => "Expired",
        KeyStatus::Other(other) => other,
        _ => "?",
    }
}

fn days(from: Timestamp, to: Timestamp) -> String {
    match to.duration_since(from).as_hours() {
        hours @ ..24 => format!("{} h", hours.max(0)),
        hours => format!("{} d", hours / 24),
    }
}
