//! Prevents core files: they would have secrets in them.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};

/// Turns core dumps off for this process and its children. A hook may turn them on again for a service.
///
/// A limit of 0 does not keep a core from being piped into a program. A limit of 1 byte does, and is too little for a
/// file.
/// Source: Linux, `fs/coredump.c`; core(5), "Piping core dumps to a program".
pub(crate) fn forbid() {
    let limit = getrlimit(Resource::Core);
    let least = Rlimit { current: Some(1), ..limit };
    if setrlimit(Resource::Core, least).is_err() {
        // the limit cannot be raised from 0: then this process is not dumped at all
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
