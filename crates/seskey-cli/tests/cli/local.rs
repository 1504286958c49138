//! `seskey local` as a process of its own: what it runs, what it keeps, and what it costs.

mod commands;
mod console;
mod durability;
mod memory;
mod namespaces;
