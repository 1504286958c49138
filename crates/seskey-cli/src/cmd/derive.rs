//! `seskey derive`: from a secret access key to the SMTP password.

use serde_json::json;
use seskey::{Region, SigningDate, SmtpPassword};

use crate::{
    args::{AlgorithmArg, Derive, Global},
    aws,
    cmd::derive::batch::derive_batch,
    exit::Exit,
    explain::{Failure, Result},
    input,
    output::Output,
};

mod batch;

pub(crate) fn run(args: &Derive, global: &Global, output: &Output) -> Result<Exit> {
    if let Some(path) = &args.batch {
        return derive_batch(path, args.algorithm, args.allow_unknown_region, output);
    }
    match args.algorithm {
        AlgorithmArg::V4 => derive_v4(args, global, output),
        AlgorithmArg::V2 => derive_v2(args, global, output),
    }
}

fn derive_v4(args: &Derive, global: &Global, output: &Output) -> Result<Exit> {
    let regions: Vec<Region> = if args.all_regions {
        Region::with_smtp().collect()
    } else if args.regions.is_empty() {
        vec![aws::region(global, args.allow_unknown_region)?]
    } else {
        let parse = |text: &String| aws::parse_region(text, args.allow_unknown_region);
        args.regions.iter().map(parse).collect::<Result<_>>()?
    };
    for region in regions.iter().filter(|region| !region.has_smtp()) {
        warn_without_smtp(region, output);
    }
    let key = input::access_key(&args.secret, global, output)?;
    let date = SigningDate::new(&key.secret);
    let passwords = regions.iter().map(|region| (region, date.password(region)));
    if output.json {
        let credentials: Vec<_> = passwords
            .map(|(region, password)| {
                json!({
                    "region": region.as_str(),
                    "algorithm": "v4",
                    "smtp_password": password.expose(),
                    "smtp_endpoint": region.has_smtp().then(|| region.smtp_endpoint()),
                })
            })
            .collect();
        let id = key.id.as_ref().map(seskey::AccessKeyId::as_str);
        output.answer_json(&json!({"access_key_id": id, "credentials": credentials}))?;
    } else if let [region] = &regions[..] {
        output.answer(&format!("{}\n", date.password(region).expose()))?;
    } else {
        let lines: String = passwords
            .map(|(region, password)| format!("{region}\t{}\n", password.expose()))
            .collect();
        output.answer(&lines)?;
    }
    Ok(Exit::Done)
}

fn derive_v2(args: &Derive, global: &Global, output: &Output) -> Result<Exit> {
    if args.all_regions || !args.regions.is_empty() {
        return Err(Failure::usage(
            "a v2 password knows no region",
            "leave the region out, or take --algorithm v4",
        ));
    }
    output.warn(
        "v2 is the algorithm of before 2019: SES throttles its passwords, and makes none today",
    );
    let key = input::access_key(&args.secret, global, output)?;
    let password = SmtpPassword::derive_v2(&key.secret);
    if output.json {
        let id = key.id.as_ref().map(seskey::AccessKeyId::as_str);
        let credential = json!({"region": null, "algorithm": "v2", "smtp_password": password.expose(), "smtp_endpoint": null});
        output.answer_json(&json!({"access_key_id": id, "credentials": [credential]}))?;
    } else {
        output.answer(&format!("{}\n", password.expose()))?;
    }
    Ok(Exit::Done)
}

pub(crate) fn warn_without_smtp(region: &Region, output: &Output) {
    let what = if region.facts().is_some() {
        "has no SMTP endpoint"
    } else {
        "is not in the table of regions"
    };
    output.warn(&format!("{region} {what}, as of {}", seskey::region::table_date()));
}
