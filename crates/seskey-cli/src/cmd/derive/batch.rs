//! `seskey derive --batch`: adds passwords to rows of keys, streamed, in order, on all cores.

mod json;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read},
    path::Path,
};

use rayon::prelude::*;
use serde::Deserialize;
use seskey::{
    AccessKeyId, SmtpPassword,
    access_key::USUAL_SECRET_LENGTH,
    pasted::{self, Pasted, plain_name},
};
use zeroize::ZeroizeOnDrop;

use crate::{
    args::{AlgorithmArg, Derive, Global},
    connect::aws,
    exit::Exit,
    explain::{Failure, Result},
    input,
    output::Output,
};

/// The number of rows derived at once: enough for all cores, few enough to stream.
const BLOCK: usize = 4096;

const COLUMNS: [&str; 3] = ["access_key_id", "secret_access_key", "region"];

#[derive(Default, Deserialize, ZeroizeOnDrop)]
struct Row {
    access_key_id: String,
    secret_access_key: String,
    #[serde(default)]
    region: String,
}

/// The place of a row, and the row or the fault in it.
type Parsed = (u64, std::result::Result<Row, String>);

/// The rows, and whether they are counted by `line` or, in JSON over several lines, by `entry`.
pub(super) struct Rows {
    counted_by: &'static str,
    rows: Box<dyn Iterator<Item = io::Result<Parsed>>>,
}

/// A row that was derived.
struct Derived {
    row: Row,
    password: SmtpPassword,
    /// Whether the secret stood in quotation marks or the like.
    is_taken_out: bool,
}

/// The number of rows to report on, and the place of the first.
#[derive(Default)]
struct Count {
    rows: u64,
    first: u64,
}

impl Count {
    fn add(&mut self, place: u64) {
        self.rows += 1;
        if self.rows == 1 {
            self.first = place;
        }
    }
}

pub(super) fn derive_batch(
    path: &Path,
    args: &Derive,
    global: &Global,
    output: &Output,
) -> Result<Exit> {
    let usual_region = aws::typed_or_set_region(global).map(|(_, text)| text);
    let derive = |row| derive_row(row, args, usual_region.as_deref());
    let unreadable =
        |error: io::Error| Failure::file("read", Path::new(&input::name(path)), &error);
    let (reader, length): (Box<dyn Read>, u64) = if path == Path::new("-") {
        (Box::new(io::stdin()), 0)
    } else {
        let file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        (Box::new(file), length)
    };
    let progress = output.progress(length);
    let Rows { counted_by, mut rows } =
        rows(BufReader::new(progress.wrap_read(reader)), &unreadable)?;
    let mut writer = csv::Writer::from_writer(BufWriter::new(io::stdout().lock()));
    writer.write_record(COLUMNS.iter().chain(&["smtp_password"])).map_err(io_error)?;
    let (mut bad, mut taken_out, mut unusual) = (0_u64, Count::default(), Count::default());
    loop {
        let block: Vec<Parsed> =
            rows.by_ref().take(BLOCK).collect::<io::Result<_>>().map_err(unreadable)?;
        if block.is_empty() {
            break;
        }
        let derived: Vec<_> =
            block.into_par_iter().map(|(place, row)| (place, row.and_then(derive))).collect();
        for (place, derived) in derived {
            match derived {
                Ok(Derived { row, password, is_taken_out }) => {
                    if is_taken_out {
                        taken_out.add(place);
                    }
                    if row.secret_access_key.len() != USUAL_SECRET_LENGTH {
                        unusual.add(place);
                    }
                    writer
                        .write_record([
                            &row.access_key_id,
                            &row.secret_access_key,
                            &row.region,
                            password.expose(),
                        ])
                        .map_err(io_error)?;
                }
                Err(what) => {
                    bad += 1;
                    progress.suspend(|| output.warn(&format!("{counted_by} {place}: {what}")));
                }
            }
        }
    }
    writer.flush()?;
    progress.finish_and_clear();
    if let Count { rows: rows @ 1.., first } = taken_out {
        output.note(&format!(
            "{} taken out of quotation marks or the like, first in {counted_by} {first}",
            secrets(rows, "was", "were")
        ));
    }
    if let Count { rows: rows @ 1.., first } = unusual {
        output.warn(&format!(
            "{} not the {USUAL_SECRET_LENGTH} characters that IAM makes, first in {counted_by} {first}",
            secrets(rows, "has", "have")
        ));
    }
    match bad {
        0 => Ok(Exit::Done),
        _ => {
            let rows = if bad == 1 { "1 row was".to_owned() } else { format!("{bad} rows were") };
            Err(Failure::unfinished(
                format!("{rows} left out"),
                "mend the lines named above and run them again",
            ))
        }
    }
}

fn secrets(count: u64, one: &str, several: &str) -> String {
    if count == 1 { format!("1 secret {one}") } else { format!("{count} secrets {several}") }
}

/// Derives the password for the region of the row, or for the usual one if the row has none.
fn derive_row(
    mut row: Row,
    args: &Derive,
    usual_region: Option<&str>,
) -> std::result::Result<Derived, String> {
    let id = AccessKeyId::parse(row.access_key_id.trim()).map_err(|error| error.to_string())?;
    let Pasted { secret, wrapping, id: other } =
        pasted::access_key(&row.secret_access_key).map_err(|error| error.to_string())?;
    if other.is_some_and(|other| other != id) {
        return Err("another access key ID stands beside the secret access key".to_owned());
    }
    if wrapping.is_some() {
        secret.expose().clone_into(&mut row.secret_access_key);
    }
    let password = match args.algorithm {
        AlgorithmArg::V2 => SmtpPassword::derive_v2(&secret),
        AlgorithmArg::V4 => {
            let region = Some(row.region.as_str()).filter(|region| !region.trim().is_empty());
            let region = region.or(usual_region).unwrap_or_default();
            let region = aws::parse_region(region, args.allow_unknown_region)
                .map_err(|failure| failure.message)?;
            let password = SmtpPassword::derive(&secret, &region);
            row.region = region.to_string();
            password
        }
    };
    Ok(Derived { row, password, is_taken_out: wrapping.is_some() })
}

/// Reads the rows of CSV with a header, or of JSON, told apart by the first character.
fn rows(
    mut reader: impl BufRead + 'static,
    unreadable: &dyn Fn(io::Error) -> Failure,
) -> Result<Rows> {
    let start = reader.fill_buf().map_err(unreadable)?;
    let start = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start);
    if matches!(start.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return json::rows(reader).map_err(unreadable);
    }
    let mut reader = csv::Reader::from_reader(reader);
    let header = reader.headers().map_err(|error| unreadable(io_error(error)))?;
    // the file that the IAM console offers says "Access key ID"
    let column = |name: &str| {
        let known = COLUMNS.iter().find(|column| plain_name(column) == plain_name(name));
        known.map_or_else(|| name.to_owned(), |column| (*column).to_owned())
    };
    let header: csv::StringRecord = header.iter().map(|name| column(name.trim())).collect();
    if let Some(missing) =
        COLUMNS[..2].iter().find(|column| !header.iter().any(|name| name == **column))
    {
        return Err(Failure::new(
            format!("the first line names no column {missing}"),
            format!("the columns are {}", COLUMNS.join(",")),
        ));
    }
    let rows = Box::new(reader.into_records().map(move |record| csv_row(&header, record)));
    Ok(Rows { counted_by: "line", rows })
}

fn csv_row(
    header: &csv::StringRecord,
    record: csv::Result<csv::StringRecord>,
) -> io::Result<Parsed> {
    match record {
        Ok(record) => {
            let line = record.position().map_or(0, csv::Position::line);
            Ok((
                line,
                record.deserialize(Some(header)).map_err(|_| "a value is missing".to_owned()),
            ))
        }
        Err(error) if error.is_io_error() => Err(io_error(error)),
        Err(error) => {
            let line = error.position().map_or(0, csv::Position::line);
            let what = match error.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    format!("{len} values, where the header has {expected_len}")
                }
                _ => "not text in UTF-8".to_owned(),
            };
            Ok((line, Err(what)))
        }
    }
}

/// Returns the I/O error in a CSV error, so that a broken pipe is recognised.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        _ => io::ErrorKind::InvalidData.into(),
    }
}
