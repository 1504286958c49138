//! `seskey list`: the users that may send, with their keys.

use comfy_table::{Table, presets::NOTHING};
use jiff::Timestamp;
use serde_json::{Value, json};
use seskey_aws::{
    iam::{KeyStatus, LastUsed},
    lifecycle::list::{ListedKey, SmtpUser, Style, list},
};

use crate::{
    args::{Global, List},
    aws,
    exit::Exit,
    explain::Result,
    output::{Output, printable},
};

pub(crate) fn run(args: &List, global: &Global, output: &Output) -> Result<Exit> {
    let users = aws::block_on(async {
        let account = aws::account(global, None).await;
        let spinner = output.spinner();
        spinner.set_message("reading the users of the account");
        let users = list(&account, args.all).await;
        spinner.finish_and_clear();
        users
    })?;
    let users = users.map_err(|error| aws::failure(&error))?;
    if output.json {
        output.answer_json(&Value::Array(users.iter().map(row).collect()))?;
        return Ok(Exit::Done);
    }
    if users.is_empty() {
        output.note(if args.all {
            "there is no user"
        } else {
            "no user may send; seskey create makes one"
        });
        return Ok(Exit::Done);
    }
    output.answer(&table(&users, Timestamp::now()))?;
    Ok(Exit::Done)
}

fn table(users: &[SmtpUser], now: Timestamp) -> String {
    let mut lines = Table::new();
    lines.load_style(NOTHING).set_header([
        "USER",
        "STYLE",
        "REGION",
        "ACCESS KEY",
        "STATUS",
        "AGE",
        "LAST USED",
    ]);
    for user in users {
        let name = printable(&format!("{}{}", user.path.trim_start_matches('/'), user.name));
        let (style, region) =
            (style(user.style).unwrap_or("-"), printable(user.region.as_deref().unwrap_or("-")));
        if user.keys.is_empty() {
            lines.add_row([&name, style, &region, "-", "-", "-", "-"]);
        }
        for ListedKey { key, last_used } in &user.keys {
            let age = key.created.map_or_else(|| "-".to_owned(), |created| days(created, now));
            let used = last_used
                .as_ref()
                .map_or_else(|| "never".to_owned(), |used| format!("{} ago", days(used.at, now)));
            lines.add_row([&name, style, &region, &key.id, status(&key.status), &age, &used]);
        }
    }
    lines.lines().map(|line| format!("{}\n", line.trim())).collect()
}

fn row(user: &SmtpUser) -> Value {
    let keys: Vec<Value> = user
        .keys
        .iter()
        .map(|ListedKey { key, last_used }| {
            let last_used = last_used.as_ref().map(|LastUsed { at, region, service }| {
                json!({"date": at.to_string(), "region": region, "service": service})
            });
            json!({
                "access_key_id": key.id,
                "status": status(&key.status),
                "created": key.created.map(|at| at.to_string()),
                "last_used": last_used,
            })
        })
        .collect();
    json!({
        "user_name": user.name,
        "path": user.path,
        "user_arn": user.arn,
        "created": user.created.map(|at| at.to_string()),
        "style": style(user.style),
        "region": user.region,
        "access_keys": keys,
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
