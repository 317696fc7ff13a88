//! Where the worker's executable is.

use std::path::{Path, PathBuf};

/// The configured path, or the worker beside the running executable; the error says how to get
/// one.
pub(crate) fn locate(configured: Option<&Path>) -> Result<PathBuf, String> {
    let path = match configured {
        Some(path) => path.to_owned(),
        None => std::env::current_exe()
            .map_err(|error| format!("the folder of the server is not known: {error}"))?
            .with_file_name(NAME),
    };
    match path.is_file() {
        true => Ok(path),
        false => Err(format!(
            "{} is not there: build it with `cargo build --release -p {NAME}` from the source of \
             this server and put it beside the server, or configure where it is",
            path.display()
        )),
    }
}

const NAME: &str = "streamkeep-decoder";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_worker_is_explained() {
        let error = locate(Some(Path::new("/nowhere/decoder"))).unwrap_err();
        assert!(error.contains("/nowhere/decoder") && error.contains("cargo build"), "{error}");
        // Test executables have none beside them.
        assert!(locate(None).unwrap_err().contains("/streamkeep-decoder is not there"));
    }
}
