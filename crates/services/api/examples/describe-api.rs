//! Prints what this version of the API accepts, as JSON; `tests/coverage/check.py` reads it.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    writeln!(io::stdout(), "{}", streamkeep_api::describe())
}
