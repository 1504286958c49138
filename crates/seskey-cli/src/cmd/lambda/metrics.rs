//! Metrics for CloudWatch, in the embedded metric format: a line of the log that CloudWatch parses.
//!
//! Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format".

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::{cmd::lambda::function_name, output::Output};

/// A metric: its name, its unit, its value.
pub(super) type Metric = (&'static str, &'static str, f64);

/// Writes the metrics into the log.
pub(super) fn write(output: &Output, metrics: &[Metric]) {
    output.log(line(metrics));
}

fn line(metrics: &[Metric]) -> Value {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let named: Vec<_> =
        metrics.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            "CloudWatchMetrics": [{
                "Namespace": "seskey", "Dimensions": [["FunctionName"]], "Metrics": named,
            }],
        },
        "FunctionName": function_name(),
    });
    for (name, _, value) in metrics {
        line[*name] = (*value).into();
    }
    line
}
