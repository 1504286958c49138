//! The verbs, one module each; `plan` and `apply` share one. A verb is a function of its arguments, the global options
//! and the output.

mod audit;
mod completions;
mod console;
mod create;
mod delete;
mod demo;
mod derive;
mod diagnose;
mod fleet;
mod inspect;
mod lambda;
mod list;
mod local;
mod man;
mod migrate;
mod policy;
mod regions;
mod render;
mod revoke;
mod rotate;
mod verify;

use crate::{
    args::{Args, Verb},
    exit::Exit,
    explain::Result,
    output::Output,
};

pub(crate) fn run(args: Args, output: &Output) -> Result<Exit> {
    let global = &args.global;
    match args.verb {
        Verb::Derive(args) => derive::run(&args, global, output),
        Verb::Inspect(args) => inspect::run(&args, global, output),
        Verb::Regions => regions::run(output),
        Verb::Policy(args) => policy::run(&args, global, output),
        Verb::Render(args) => render::run(&args, global, output),
        Verb::Create(args) => create::run(&args, global, output),
        Verb::List(args) => list::run(&args, global, output),
        Verb::Audit(args) => audit::run(&args, global, output),
        Verb::Verify(args) => verify::run(&args, global, output),
        Verb::Diagnose(args) => diagnose::run(&args, global, output),
        Verb::Delete(args) => delete::run(&args, global, output),
        Verb::Rotate(args) => rotate::run(&args, global, output),
        Verb::Plan(args) => fleet::plan(&args, global, output),
        Verb::Apply(args) => fleet::apply(&args, global, output),
        Verb::Revoke(args) => revoke::run(&args, global, output),
        Verb::Migrate(args) => migrate::run(&args, global, output),
        Verb::Local(args) => local::run(&args, global, output),
        Verb::Console(args) => console::run(&args, global, output),
        Verb::Lambda => lambda::run(global, output),
        Verb::Demo => demo::run(global, output),
        Verb::Completions(args) => completions::run(&args, output),
        Verb::Man(args) => man::run(&args, output),
    }
}
