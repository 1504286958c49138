//! `/`: the SMTP settings of a region, as the SES console shows them.

use std::net::SocketAddr;

use askama::Template;
use axum::{extract::RawQuery, http::StatusCode, response::Response};
use seskey::{
    Region,
    region::{STARTTLS_PORTS, TLS_WRAPPER_PORTS, table, table_date},
};

use super::{Fields, Layout, Local, Nav, Problem, Visitor, page};
use crate::connect::aws;

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings<'a> {
    layout: Layout,
    problem: Option<Problem>,
    chosen: Option<Region>,
    regions: Vec<Choice>,
    date: &'static str,
    starttls: String,
    tls_wrapper: String,
    local: Option<&'a Local>,
}

/// A region that may be chosen.
pub(super) struct Choice {
    pub(super) region: String,
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

/// The parameters of its query.
pub(super) const PARAMETERS: &[&str] = &["region"];

pub(super) async fn show(visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let fields = Fields::parse(&query.unwrap_or_default());
    let typed = fields.get("region");
    let (chosen, problem) = match typed {
        "" => (visitor.place.region.clone(), None),
        typed => match aws::parse_region(typed, true) {
            Ok(region) => (Some(region), None),
            Err(failure) => (None, Some(Problem::of(&failure.of("--region")))),
        },
    };
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let list = |ports: &[u16]| ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let settings = Settings {
        layout: visitor.layout("SMTP settings", Nav::Settings),
        problem,
        regions: choices(chosen.as_ref()),
        chosen,
        date: table_date(),
        starttls: list(&STARTTLS_PORTS),
        tls_wrapper: list(&TLS_WRAPPER_PORTS),
        local: visitor.place.local.as_ref(),
    };
    page(status, &settings)
}

/// Returns the regions with an SMTP endpoint, and the one that is chosen.
pub(super) fn choices(chosen: Option<&Region>) -> Vec<Choice> {
    let facts = table().iter().filter_map(|facts| {
        let region = Region::parse(&facts.region).ok().filter(Region::has_smtp)?;
        Some((region, facts.name.clone()))
    });
    let mut known: Vec<_> = facts.collect();
    if let Some(chosen) = chosen.filter(|chosen| known.iter().all(|(region, _)| region != *chosen))
    {
        known.push((chosen.clone(), String::new()));
    }
    let choice = |(region, name): (Region, String)| Choice {
        is_chosen: chosen == Some(&region),
        region: region.to_string(),
        name,
    };
    known.into_iter().map(choice).collect()
}

impl Local {
    /// Returns the listeners with a password for this region.
    fn of(&self, region: &Region) -> impl Iterator<Item = (&SocketAddr, &'static str)> {
        let own = self.listeners.iter().filter(move |(_, own, _)| own == region);
        own.map(|(address, _, is_wrapper)| {
            (address, if *is_wrapper { "TLS wrapper" } else { "STARTTLS" })
        })
    }
}
