//! The rotation against a world that knows the truth: whatever is cut off, fails, or happens at the same time, no
//! effect breaks an invariant, and one key is left in the end.

#![allow(clippy::unwrap_used)]

mod cuts;
mod decisions;
mod evidence;
mod forecast;
mod function;
mod large;
mod late;
mod laws;
mod leak;
mod mutants;
mod notes;
mod people;
mod races;
mod run;
mod starts;
mod together;
mod uses;
mod world;
