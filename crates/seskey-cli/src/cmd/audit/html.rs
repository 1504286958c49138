//! The findings as one page that needs nothing else: no script, no file, no network.

use std::fmt::Write;

use seskey::audit::Finding;

use super::{Audited, Report, key_id};

pub(super) fn answer(report: &Report) -> String {
    let counts: String = report
        .counts()
        .iter()
        .map(|(severity, count)| format!("<li class=\"{severity}\"><b>{count}</b> {severity}</li>"))
        .collect();
    let rows: String = report.findings().map(|(of, finding)| row(of, finding)).collect();
    let table = match rows.is_empty() {
        true => "<p>Nothing wrong was found.</p>".to_owned(),
        false => format!("<div class=\"findings\">{rows}</div>"),
    };
    PAGE.replace("{STYLE}", STYLE)
        .replace("{TIME}", &report.now().strftime("%F %R UTC").to_string())
        .replace("{SUMMARY}", &escaped(&report.summary()))
        .replace("{COUNTS}", &counts)
        .replace("{TABLE}", &table)
        .replace("{VERSION}", env!("CARGO_PKG_VERSION"))
}

fn row(of: &Audited, finding: &Finding) -> String {
    let account = match &of.name {
        Some(name) => format!("{name}, {}", of.snapshot.account),
        None => of.snapshot.account.clone(),
    };
    let mut facts = vec![("User", finding.user.as_str()), ("Account", &account)];
    facts.extend(key_id(finding).map(|id| ("Access key", id)));
    let controls = finding.kind.controls.join(", ");
    let mut row = format!(
        "<article class=\"{0}\"><h2><span>{0}</span> {1}</h2><p>{2}</p><dl>",
        finding.severity,
        finding.kind.id,
        escaped(&capitalized(finding.kind.sentence)),
    );
    facts.push(("Evidence", &finding.evidence));
    if !controls.is_empty() {
        facts.push(("Controls", &controls));
    }
    for (name, value) in facts {
        write!(row, "<dt>{name}</dt><dd>{}</dd>", escaped(value)).expect("a string takes all");
    }
    write!(row, "<dt>Remedy</dt><dd><code>{}</code></dd></dl></article>", escaped(&finding.remedy))
        .expect("a string takes all");
    row
}

/// Capitalizes a sentence, which begins in lower case in the table, and adds a full stop.
fn capitalized(sentence: &str) -> String {
    let mut rest = sentence.chars();
    let first = rest.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(rest).chain(['.']).collect()
}

/// Escapes text: the name of a policy may hold a tag, or a character that changes the direction of text.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>SMTP users: {TIME}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>SMTP users</h1>
<p>{SUMMARY}. Read {TIME}.</p>
<ul class="counts">{COUNTS}</ul>
{TABLE}
</main>
<footer>seskey {VERSION}</footer>
</body>
</html>
"#;

const STYLE: &str = include_str!("page.css");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escaped("<b a=\"'&\u{202e}\u{1b}"), "&lt;b a=&quot;&#39;&amp;\u{fffd}\u{fffd}");
    }
}
