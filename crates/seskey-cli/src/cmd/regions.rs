//! `seskey regions`: lists the regions and their SMTP endpoints.

use comfy_table::{Table, presets::NOTHING};
use serde_json::{Value, json};
use seskey::{
    Region,
    region::{STARTTLS_PORTS, TLS_WRAPPER_PORTS, table, table_date},
};

use crate::{exit::Exit, explain::Result, output::Output};

pub(crate) fn run(output: &Output) -> Result<Exit> {
    if output.json {
        let ports = json!({"starttls": STARTTLS_PORTS, "tls_wrapper": TLS_WRAPPER_PORTS});
        let regions: Vec<Value> = regions().map(|(region, name)| row(&region, name)).collect();
        output.answer_json(&json!({"date": table_date(), "ports": ports, "regions": regions}))?;
        return Ok(Exit::Done);
    }
    let mut lines = Table::new();
    lines.load_style(NOTHING).set_header(["REGION", "NAME", "PARTITION", "SMTP ENDPOINT", "FIPS"]);
    for (region, name) in regions() {
        let endpoint = if region.has_smtp() { region.smtp_endpoint() } else { "-".to_owned() };
        let fips = if region.smtp_endpoint_fips().is_some() { "yes" } else { "" };
        lines.add_row([region.as_str(), name, region.partition().as_str(), &endpoint, fips]);
    }
    let text: String =
        lines.lines().map(|line| format!("{}\n", line.trim_start().trim_end())).collect();
    output.answer(&text)?;
    output.note(&format!(
        "as of {}; ports 25, 587, 2587 (STARTTLS) and 465, 2465 (TLS wrapper)",
        table_date()
    ));
    Ok(Exit::Done)
}

fn regions() -> impl Iterator<Item = (Region, &'static str)> {
    table()
        .iter()
        .filter_map(|facts| Some((Region::parse(&facts.region).ok()?, facts.name.as_str())))
}

fn row(region: &Region, name: &str) -> Value {
    let has_smtp = region.has_smtp();
    json!({
        "region": region.as_str(),
        "name": name,
        "partition": region.partition().as_str(),
        "ses": region.facts().is_some_and(|facts| facts.ses),
        "smtp": has_smtp,
        "smtp_endpoint": has_smtp.then(|| region.smtp_endpoint()),
        "smtp_endpoint_fips": region.smtp_endpoint_fips(),
        "smtp_endpoint_dual_stack": region.smtp_endpoint_dual_stack(),
        "smtp_endpoint_fips_dual_stack": region.smtp_endpoint_fips_dual_stack(),
    })
}
