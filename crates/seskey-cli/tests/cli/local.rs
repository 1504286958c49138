//! `seskey local` as a process: its commands, its pages, its data, and its memory.

mod commands;
mod console;
mod durability;
mod memory;
mod namespaces;
