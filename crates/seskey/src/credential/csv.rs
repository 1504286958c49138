//! The file that the console offers for download, with the three headers that it has had.

use super::{Credential, CredentialError, Found, SmtpCredential, values::place};

/// Writes the console's newer form. A user name that a spreadsheet would run as a formula gets an apostrophe in
/// front, which spreadsheets take as "this is text" and which IAM never allows in a name; [`SmtpCredential::read`]
/// takes it off.
pub fn write<'a>(credentials: impl IntoIterator<Item = &'a SmtpCredential>) -> String {
    let rows =
        credentials.into_iter().map(|SmtpCredential { iam_user, user_name, password, .. }| {
            row(iam_user.as_deref(), user_name.as_str(), password.expose())
        });
    header() + &rows.collect::<String>()
}

/// Writes one credential of either kind, as [`write`] does.
pub(crate) fn write_one(credential: &Credential) -> String {
    header() + &row(credential.iam_user(), credential.user_name(), credential.expose_password())
}

fn header() -> String {
    format!("{}\n", HEADERS[1].join(","))
}

fn row(iam_user: Option<&str>, user_name: &str, password: &str) -> String {
    format!("{},{user_name},{password}\n", quote(&inert(iam_user.unwrap_or_default())))
}

/// Writes the newer form with one more column: an endpoint that is not the region's, as `host:port`.
pub fn write_with_endpoint(credential: &SmtpCredential, endpoint: &str) -> String {
    let ends = [",SMTP endpoint\n".to_owned(), format!(",{endpoint}\n")];
    write([credential]).lines().zip(ends).map(|(line, end)| format!("{line}{end}")).collect()
}

/// Makes a cell inert: no spreadsheet takes it for a formula.
pub fn inert(cell: &str) -> String {
    if cell.starts_with(FORMULA) { format!("'{cell}") } else { cell.to_owned() }
}

pub(super) fn has_known_header(text: &str) -> bool {
    reader(text).headers().is_ok_and(|header| columns(header).is_some())
}

pub(crate) fn read(text: &str) -> Result<Vec<Credential>, CredentialError> {
    Ok(found(text)?.into_iter().map(|found| found.credential).collect())
}

pub(super) fn found(text: &str) -> Result<Vec<Found>, CredentialError> {
    let mut reader = reader(text);
    let header = reader.headers().map_err(malformed)?;
    let columns = columns(header).ok_or(CredentialError::UnknownForm)?;
    reader
        .into_records()
        .map(|record| {
            let record = record.map_err(malformed)?;
            let line = record.position().map_or(0, ::csv::Position::line);
            let cell = |column: Option<usize>| column.and_then(|column| record.get(column));
            let iam_user = cell(columns.iam_user).map(|cell| match cell.strip_prefix('\'') {
                Some(name) if name.starts_with(FORMULA) => name,
                _ => cell,
            });
            let required =
                |column, what| cell(Some(column)).ok_or(CredentialError::Missing { line, what });
            let (host, port) = cell(columns.endpoint).map_or((None, None), place);
            let credential = Credential::from_cells(
                line,
                iam_user,
                required(columns.user_name, "SMTP user name")?,
                required(columns.password, "SMTP password")?,
                host.as_deref(),
            )?;
            Ok(Found { credential, port })
        })
        .collect()
}

struct Columns {
    iam_user: Option<usize>,
    user_name: usize,
    password: usize,
    endpoint: Option<usize>,
}

fn columns(header: &::csv::StringRecord) -> Option<Columns> {
    let column = |names: &[&str]| {
        header
            .iter()
            .position(|cell| names.iter().any(|name| name.eq_ignore_ascii_case(cell.trim())))
    };
    Some(Columns {
        iam_user: column(&["IAM User Name", "IAM User Arn"]),
        user_name: column(&["Smtp Username", "SMTP user name"])?,
        password: column(&["Smtp Password"])?,
        endpoint: column(&["SMTP endpoint"]),
    })
}

/// The headers of the file until about 2023, of the newer one, and of the one with the endpoint.
const HEADERS: [&[&str]; 3] = [
    &["IAM User Name", "Smtp Username", "Smtp Password"],
    &["IAM user name", "SMTP user name", "SMTP password"],
    &["IAM User Arn", "SMTP endpoint", "SMTP username", "SMTP password"],
];

const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Puts a cell with a comma or a quotation mark in quotation marks (RFC 4180).
fn quote(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn reader(text: &str) -> ::csv::Reader<&[u8]> {
    ::csv::ReaderBuilder::new().from_reader(text.as_bytes())
}

fn malformed(error: ::csv::Error) -> CredentialError {
    CredentialError::Malformed { line: error.position().map_or(1, ::csv::Position::line) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{access_key::AccessKeyId, password::SmtpPassword};

    const ID: &str = "AKIAIOSFODNN7EXAMPLE";
    const PASSWORD: &str = "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9";

    fn credential(iam_user: Option<&str>, endpoint: Option<&str>) -> SmtpCredential {
        SmtpCredential {
            iam_user: iam_user.map(str::to_owned),
            user_name: AccessKeyId::parse(ID).unwrap(),
            password: SmtpPassword::parse(PASSWORD).unwrap(),
            endpoint: endpoint.map(str::to_owned),
        }
    }

    #[test]
    fn all_three_forms_are_read() {
        let arn = "arn:aws:iam::123456789012:user/mailer";
        let host = "email-smtp.eu-west-1.amazonaws.com";
        for (text, expected) in [
            (
                format!("IAM User Name,Smtp Username,Smtp Password\n\"mailer\",{ID},{PASSWORD}\n"),
                credential(Some("mailer"), None),
            ),
            (
                format!(
                    "\u{feff}IAM user name,SMTP user name,SMTP password\r\nmailer,{ID},{PASSWORD}"
                ),
                credential(Some("mailer"), None),
            ),
            (
                format!(
                    "IAM User Arn,SMTP endpoint,SMTP username,SMTP password\n{arn},{host},{ID},{PASSWORD}\n"
                ),
                credential(Some(arn), Some(host)),
            ),
        ] {
            assert_eq!(SmtpCredential::read(&text), Ok(vec![expected]), "{text}");
        }
    }

    #[test]
    fn a_formula_cannot_run() {
        for name in ["=cmd", "+1", "-1", "@SUM"] {
            let written = write([&credential(Some(name), None)]);
            assert!(written.lines().nth(1).unwrap().starts_with(&format!("'{name},")), "{written}");
            assert_eq!(SmtpCredential::read(&written), Ok(vec![credential(Some(name), None)]));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(name in "[a-zA-Z0-9_+=,.@-]{1,64}") {
            let credential = credential(Some(&name), None);
            prop_assert_eq!(SmtpCredential::read(&write([&credential])), Ok(vec![credential]));
        }
    }
}
