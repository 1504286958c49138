//! The plan of many users as a table: the needs of each now and next, and the number of users for each need.

use comfy_table::{Table, presets::NOTHING};
use serde_json::{Value, json};
use seskey::{rotation::Step, store::Store};

use super::Who;
use crate::{explain::step::words, output::printable};

/// The needs of a user, in the order in which they are counted.
const KINDS: [&str; 8] =
    ["make", "rotate", "deliver", "deactivate", "delete", "stop", "hand over", "unchanged"];

/// The plans of all users that could be looked at.
#[derive(Default)]
pub(super) struct Overview {
    rows: Vec<(Who, Vec<&'static str>, String)>,
}

impl Overview {
    pub(super) fn add(&mut self, who: &Who, is_made: bool, steps: &[Step], stores: &[Store]) {
        let then = match steps.last() {
            Some(step @ Step::WaitUntil { .. }) => words(step, stores).to_do,
            Some(Step::Done { due: Some(due) }) => format!("due again {due}"),
            _ => String::new(),
        };
        self.rows.push((who.clone(), needs(is_made, steps), then));
    }

    /// Returns the table and the line below it; nothing without users.
    pub(super) fn text(mut self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        self.rows.sort_by(|a, b| a.0.cmp(&b.0));
        let has_account = self.rows.iter().any(|(who, ..)| who.account.is_some());
        let mut lines = Table::new();
        let header = ["ACCOUNT", "USER", "NOW", "THEN"];
        lines.load_style(NOTHING).set_header(header.iter().skip(usize::from(!has_account)));
        for (who, needs, then) in &self.rows {
            let account = has_account.then(|| who.account.clone().unwrap_or_default());
            let cells = [printable(&who.user), needs.join(", "), then.clone()];
            lines.add_row(account.into_iter().chain(cells));
        }
        let table: String = lines.lines().map(|line| format!("{}\n", line.trim())).collect();
        format!("{table}{}\n", self.summary())
    }

    /// Returns the number of users for each need.
    pub(super) fn counts(&self) -> Value {
        let counts = self.count().map(|(kind, count)| (kind.replace(' ', "_"), json!(count)));
        Value::Object(counts.collect())
    }

    fn summary(&self) -> String {
        let count = |(kind, count): (&str, usize)| match kind {
            _ if count == 0 => None,
            "unchanged" => Some(format!("{count} unchanged")),
            kind => Some(format!("{count} to {kind}")),
        };
        let counts: Vec<String> = self.count().filter_map(count).collect();
        let users = self.rows.len();
        format!("{users} user{}: {}", if users == 1 { "" } else { "s" }, counts.join(", "))
    }

    fn count(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let of = |kind| self.rows.iter().filter(|(_, needs, _)| needs.contains(&kind)).count();
        KINDS.into_iter().map(move |kind| (kind, of(kind)))
    }
}

fn needs(is_made: bool, steps: &[Step]) -> Vec<&'static str> {
    let any = |fits: fn(&Step) -> bool| steps.iter().any(fits);
    let makes_key = any(|step| matches!(step, Step::CreateKey(_)));
    let holds = [
        is_made,
        makes_key && !is_made,
        !makes_key && any(|step| matches!(step, Step::Deliver { .. })),
        any(|step| matches!(step, Step::Deactivate(_))),
        any(|step| matches!(step, Step::Delete(_) | Step::Discard(_))),
        any(|step| matches!(step, Step::Stop(_))),
    ];
    let needs: Vec<_> =
        KINDS.into_iter().zip(holds).filter_map(|(kind, holds)| holds.then_some(kind)).collect();
    // a proof, the hook and a note may be all that is left
    let rest = if any(|step| step.stage().is_some()) { "hand over" } else { "unchanged" };
    if needs.is_empty() { vec![rest] } else { needs }
}
