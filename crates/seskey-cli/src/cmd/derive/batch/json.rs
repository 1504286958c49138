//! The rows of JSON: an object a line, or the answers of `aws iam create-access-key`, one or many, alone or in a list.

use std::io::{self, BufRead};

use serde_json::{Deserializer, Map, Value};
use seskey::pasted::plain_name;
use zeroize::Zeroizing;

use super::{COLUMNS, Row, Rows};

/// Reads the rows. Lines are streamed if the first is a whole object; JSON over several lines is read as one text.
pub(super) fn rows(mut reader: impl BufRead + 'static) -> io::Result<Rows> {
    let mut text = Zeroizing::new(String::new());
    while text.trim_start_matches('\u{feff}').trim().is_empty() {
        if reader.read_line(&mut text)? == 0 {
            break;
        }
    }
    let line = text.lines().count() as u64;
    let first = text.trim_start_matches('\u{feff}').trim();
    if serde_json::from_str::<Map<String, Value>>(first).is_ok() {
        let first = Ok(first.to_owned());
        let lines = (line..).zip(std::iter::once(first).chain(reader.lines()));
        let rows = lines.flat_map(|(line, text)| match text.map(Zeroizing::new) {
            Ok(text) if text.trim().is_empty() => vec![],
            Ok(text) => rows_of(serde_json::from_str(text.trim()))
                .into_iter()
                .map(|row| Ok((line, row)))
                .collect(),
            Err(error) => vec![Err(error)],
        });
        return Ok(Rows { counted_by: "line", rows: Box::new(rows) });
    }
    reader.read_to_string(&mut text)?;
    let values = Deserializer::from_str(text.trim_start_matches('\u{feff}')).into_iter();
    let rows: Vec<_> = values.flat_map(rows_of).collect();
    let rows = (1..).zip(rows).map(Ok);
    Ok(Rows { counted_by: "entry", rows: Box::new(rows) })
}

/// Returns the rows in a value: each object with an access key ID or a secret access key, at any depth.
fn rows_of(value: serde_json::Result<Value>) -> Vec<Result<Row, String>> {
    let mut rows = vec![];
    // the parser's own message would quote the text
    let wrong = "not a JSON object with these keys as strings";
    match value {
        Ok(value) => collect(value, &mut rows),
        Err(_) => return vec![Err(wrong.to_owned())],
    }
    if rows.is_empty() {
        vec![Err(wrong.to_owned())]
    } else {
        rows.into_iter().map(|row| row.ok_or_else(|| wrong.to_owned())).collect()
    }
}

fn collect(value: Value, rows: &mut Vec<Option<Row>>) {
    match value {
        Value::Array(values) => values.into_iter().for_each(|value| collect(value, rows)),
        Value::Object(object) => {
            let has = |column| object.keys().any(|key| plain_name(key) == plain_name(column));
            if COLUMNS[..2].iter().any(|column| has(column)) {
                rows.push(row(object));
            } else {
                object.into_iter().for_each(|(_, value)| collect(value, rows));
            }
        }
        _ => {}
    }
}

fn row(object: Map<String, Value>) -> Option<Row> {
    let mut row = Row::default();
    for (key, value) in object {
        let place = match &*plain_name(&key) {
            "accesskeyid" => &mut row.access_key_id,
            "secretaccesskey" => &mut row.secret_access_key,
            "region" => &mut row.region,
            _ => continue,
        };
        match value {
            Value::String(text) => *place = text,
            Value::Null => {}
            _ => return None,
        }
    }
    (!row.access_key_id.is_empty() && !row.secret_access_key.is_empty()).then_some(row)
}
