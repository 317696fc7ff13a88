//! Embeds `console/dist`, which `npm run build` in `console/` makes. Without it the crate builds too,
//! and answers that there is no console.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::hash::{Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use flate2::Compression;
use flate2::write::GzEncoder;

fn main() -> io::Result<()> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../console/dist");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", dist.display());
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    // Cargo takes a folder that is not there for one that has changed, and would build each time.
    fs::create_dir_all(&dist)?;
    let mut names = Vec::new();
    list(&dist, "", &mut names)?;
    names.sort();
    let mut table = String::from("&[\n");
    for (index, name) in names.iter().enumerate() {
        let path = dist.join(name).canonicalize()?;
        let bytes = fs::read(&path)?;
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let packed = gzip(&bytes)?;
        let gzip = if packed.len() < bytes.len() {
            let file = out.join(format!("{index}.gz"));
            fs::write(&file, packed)?;
            format!("Some(include_bytes!({:?}))", file.display().to_string())
        } else {
            "None".to_owned()
        };
        writeln!(
            table,
            "File {{ path: {name:?}, etag: \"\\\"{:016x}\\\"\", bytes: include_bytes!({:?}), gzip: {gzip} }},",
            hasher.finish(),
            path.display().to_string(),
        )
        .map_err(io::Error::other)?;
    }
    table.push(']');
    fs::write(out.join("files.rs"), table)
}

fn list(folder: &Path, prefix: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| io::ErrorKind::InvalidData)?;
        // What keeps the folder in version control.
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{path}/"), names)?;
        } else {
            names.push(path);
        }
    }
    Ok(())
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
