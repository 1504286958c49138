//! The APIs of the local SES: their parameters, their refusals, and their authorization.

#![allow(clippy::unwrap_used)]

mod http_control;
mod iam_account;
mod iam_actions;
mod iam_api;
mod iam_authorization;
mod iam_client;
mod iam_operations;
mod iam_policies;
mod iam_property;
mod iam_refusals;
mod iam_restore;
mod iam_roles;
mod iam_sessions;
mod policy_texts;
mod recorded;
mod recorded_events;
mod ses_api;
mod ses_authorization;
mod ses_events;
mod ses_raw;
mod ses_resources;
mod sigv4_presigned;
mod sigv4_requests;
mod sigv4_suite;
mod sns;
