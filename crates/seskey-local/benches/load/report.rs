//! The results as Markdown.

use std::time::Duration;

use crate::{Failure, rounds::Round};

/// The results of one server under one load.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) jobs: usize,
    /// The failure that ended the measurement.
    pub(crate) failure: Option<String>,
    rates: Vec<f64>,
    cpu: Vec<f64>,
    latencies: Vec<Duration>,
}

impl Row {
    pub(crate) fn new(name: &'static str, jobs: usize) -> Self {
        Self { name, jobs, failure: None, rates: vec![], cpu: vec![], latencies: vec![] }
    }

    pub(crate) fn failed(name: &'static str, failure: Failure) -> Self {
        Self { failure: Some(failure.to_string()), ..Self::new(name, 0) }
    }

    pub(crate) fn add(&mut self, round: Round) {
        self.rates.push(self.jobs as f64 / round.elapsed.as_secs_f64());
        self.cpu.push(round.cpu.as_secs_f64() * 1e6 / self.jobs as f64);
        self.latencies.extend(round.latencies);
    }
}

/// Prints the medians, each beside the one of the server named `baseline`. A job counts as `weight` units. Returns
/// whether all servers succeeded.
pub(crate) fn print(title: &str, rows: &[Row], baseline: &str, weight: usize) -> bool {
    println!("\n### {title}\n");
    println!(
        "| server | a second | beside {baseline} | server's CPU, µs each | median, ms | 99 %, ms |"
    );
    println!("|---|---|---|---|---|---|");
    let weight = weight as f64;
    let of_baseline = rows.iter().find(|row| row.name == baseline).map(|row| median(&row.rates));
    for row in rows {
        if let Some(failure) = &row.failure {
            println!("| {} | FAILED: {failure} | | | | |", row.name);
            continue;
        }
        let rate = median(&row.rates);
        let ratio = of_baseline.map_or_else(|| "–".to_owned(), |of| format!("{:.2}", rate / of));
        println!(
            "| {} | {:.0} | {ratio} | {:.0} | {:.2} | {:.2} |",
            row.name,
            rate * weight,
            median(&row.cpu) / weight,
            percentile(&row.latencies, 50),
            percentile(&row.latencies, 99),
        );
    }
    rows.iter().all(|row| row.failure.is_none())
}

/// Returns the middle one of an odd number of values.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Returns a percentile, in milliseconds.
fn percentile(latencies: &[Duration], percent: usize) -> f64 {
    let mut latencies = latencies.to_vec();
    latencies.sort_unstable();
    let index = (latencies.len() * percent / 100).min(latencies.len().saturating_sub(1));
    latencies.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
}
