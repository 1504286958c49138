//! `seskey derive`: derives the SMTP password from a secret access key.

use serde_json::{Value, json};
use seskey::{AccessKeyId, Region, SmtpPassword, derive_each};

use crate::{
    args::{AlgorithmArg, Derive, Global},
    cmd::derive::batch::derive_batch,
    connect::aws,
    exit::Exit,
    explain::{Failure, Result},
    input,
    output::Output,
};

mod batch;

pub(crate) fn run(args: &Derive, global: &Global, output: &Output) -> Result<Exit> {
    if let Some(path) = &args.batch {
        return derive_batch(path, args, global, output);
    }
    let regions = regions(args, global, output)?;
    let key = input::access_key(&args.secret, global, output)?;
    let credentials: Vec<(Option<&Region>, SmtpPassword)> = match args.algorithm {
        AlgorithmArg::V2 => vec![(None, SmtpPassword::derive_v2(&key.secret))],
        AlgorithmArg::V4 => {
            let passwords = derive_each(regions.iter().map(|region| (&key.secret, region)));
            regions.iter().map(Some).zip(passwords).collect()
        }
    };
    if output.json {
        let credentials: Vec<Value> = credentials.iter().map(row).collect();
        let id = key.id.as_ref().map(AccessKeyId::as_str);
        output.answer_json(&json!({"access_key_id": id, "credentials": credentials}))?;
    } else if let [(_, password)] = &credentials[..] {
        output.answer(&format!("{}\n", password.expose()))?;
    } else {
        let line = |(region, password): &(Option<&Region>, SmtpPassword)| {
            format!("{}\t{}\n", region.map_or("", Region::as_str), password.expose())
        };
        output.answer(&credentials.iter().map(line).collect::<String>())?;
    }
    Ok(Exit::Done)
}

/// Returns the regions that are asked for; none for v2, which has no region.
fn regions(args: &Derive, global: &Global, output: &Output) -> Result<Vec<Region>> {
    if args.algorithm == AlgorithmArg::V2 {
        if args.all_regions || !args.regions.is_empty() {
            return Err(Failure::usage(
                "a v2 password knows no region",
                "leave the region out, or take --algorithm v4",
            ));
        }
        output.warn(
            "v2 is the algorithm of before 2019: SES throttles its passwords, and makes none today",
        );
        return Ok(vec![]);
    }
    if args.all_regions {
        return Ok(Region::with_smtp().collect());
    }
    if let (Some(region), [_, ..]) = (&global.region, &args.regions[..]) {
        return Err(Failure::usage(
            "regions are given twice",
            format!("name them as arguments, or by --region {region}, not both"),
        ));
    }
    let regions: Vec<Region> = if args.regions.is_empty() {
        vec![aws::region(global, args.allow_unknown_region)?]
    } else {
        let parse = |text: &String| aws::parse_region(text, args.allow_unknown_region);
        args.regions.iter().map(parse).collect::<Result<_>>()?
    };
    for region in regions.iter().filter(|region| !region.has_smtp()) {
        warn_without_smtp(region, output);
    }
    Ok(regions)
}

fn row((region, password): &(Option<&Region>, SmtpPassword)) -> Value {
    json!({
        "region": region.map(Region::as_str),
        "algorithm": password.algorithm().as_str(),
        "smtp_password": password.expose(),
        "smtp_endpoint": region.filter(|region| region.has_smtp()).map(Region::smtp_endpoint),
    })
}

pub(crate) fn warn_without_smtp(region: &Region, output: &Output) {
    let what = if region.facts().is_some() {
        "has no SMTP endpoint"
    } else {
        "is not in the table of regions"
    };
    output.warn(&format!("{region} {what}, as of {}", seskey::region::table_date()));
}
