//! Prints what this version of the API accepts, as JSON; `tests/coverage/check.py` reads it. With the
//! argument `openapi`, as an OpenAPI document.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    if std::env::args().nth(1).as_deref() == Some("openapi") {
        out.write_all(&streamkeep_api::openapi(None))
    } else {
        writeln!(out, "{}", streamkeep_api::describe())
    }
}
