//! `seskey derive --batch`: rows of keys to the same rows with their passwords, streamed, in order, on all cores.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read},
    path::Path,
};

use rayon::prelude::*;
use serde::Deserialize;
use seskey::{AccessKeyId, SecretAccessKey, SmtpPassword};
use zeroize::ZeroizeOnDrop;

use crate::{
    args::{AlgorithmArg, Derive, Global},
    aws,
    exit::Exit,
    explain::{Failure, Result},
    input,
    output::Output,
};

/// Rows derived at once: enough for all cores, little enough to stream.
const BLOCK: usize = 4096;

const COLUMNS: [&str; 3] = ["access_key_id", "secret_access_key", "region"];

#[derive(Deserialize, ZeroizeOnDrop)]
struct Row {
    access_key_id: String,
    secret_access_key: String,
    #[serde(default)]
    region: String,
}

/// A row with its line, or what is wrong with it.
type Parsed = (u64, std::result::Result<Row, String>);

type Rows = Box<dyn Iterator<Item = io::Result<Parsed>>>;

pub(super) fn derive_batch(
    path: &Path,
    args: &Derive,
    global: &Global,
    output: &Output,
) -> Result<Exit> {
    let usual_region = aws::typed_or_set_region(global);
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
    let mut rows = rows(BufReader::new(progress.wrap_read(reader)), &unreadable)?;
    let mut writer = csv::Writer::from_writer(BufWriter::new(io::stdout().lock()));
    writer.write_record(COLUMNS.iter().chain(&["smtp_password"])).map_err(io_error)?;
    let mut bad = 0_u64;
    loop {
        let block: Vec<Parsed> =
            rows.by_ref().take(BLOCK).collect::<io::Result<_>>().map_err(unreadable)?;
        if block.is_empty() {
            break;
        }
        let derived: Vec<_> = block
            .into_par_iter()
            .map(|(line, row)| row.and_then(derive).map_err(|what| (line, what)))
            .collect();
        for row in derived {
            match row {
                Ok((row, password)) => writer
                    .write_record([
                        &row.access_key_id,
                        &row.secret_access_key,
                        &row.region,
                        password.expose(),
                    ])
                    .map_err(io_error)?,
                Err((line, what)) => {
                    bad += 1;
                    progress.suspend(|| output.warn(&format!("line {line}: {what}")));
                }
            }
        }
    }
    writer.flush()?;
    progress.finish_and_clear();
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

/// Derives for the region of the row, or for the usual one where the row has none.
fn derive_row(
    mut row: Row,
    args: &Derive,
    usual_region: Option<&str>,
) -> std::result::Result<(Row, SmtpPassword), String> {
    AccessKeyId::parse(row.access_key_id.trim()).map_err(|error| error.to_string())?;
    let secret =
        SecretAccessKey::parse(row.secret_access_key.trim()).map_err(|error| error.to_string())?;
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
    Ok((row, password))
}

/// The rows of CSV with a header, or of JSON lines, told apart by the first character.
fn rows(
    mut reader: impl BufRead + 'static,
    unreadable: &dyn Fn(io::Error) -> Failure,
) -> Result<Rows> {
    let start = reader.fill_buf().map_err(unreadable)?;
    let start = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start);
    if start.trim_ascii_start().first() == Some(&b'{') {
        return Ok(Box::new(
            (1..).zip(reader.lines()).filter_map(|(line, text)| json_row(line, text).transpose()),
        ));
    }
    let mut reader = csv::Reader::from_reader(reader);
    let header = reader.headers().map_err(|error| unreadable(io_error(error)))?;
    // the file that the IAM console offers says "Access key ID"
    let name = |name: &str| name.trim().to_ascii_lowercase().replace(' ', "_");
    let header: csv::StringRecord = header.iter().map(name).collect();
    if let Some(missing) =
        COLUMNS[..2].iter().find(|column| !header.iter().any(|name| name == **column))
    {
        return Err(Failure::new(
            format!("the first line names no column {missing}"),
            format!("the columns are {}", COLUMNS.join(",")),
        ));
    }
    Ok(Box::new(reader.into_records().map(move |record| csv_row(&header, record))))
}

fn json_row(line: u64, text: io::Result<String>) -> io::Result<Option<Parsed>> {
    let text = zeroize::Zeroizing::new(text?);
    let text = text.trim_start_matches('\u{feff}').trim();
    // what the parser says quotes the text
    let row = serde_json::from_str(text)
        .map_err(|_| "not a JSON object with these keys as strings".to_owned());
    Ok((!text.is_empty()).then_some((line, row)))
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

/// What the CSV writer was told by the system, so that a reader that has gone is seen as one.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        _ => io::ErrorKind::InvalidData.into(),
    }
}
