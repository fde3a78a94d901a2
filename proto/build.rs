//! Compiles the .proto files in pure Rust: no protoc on the machine, nothing generated is committed.

use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=hoshu");
    let files = proto_files(Path::new("hoshu"))?;
    let descriptors = protox::Compiler::new(["."])?
        .include_imports(true)
        .include_source_info(true)
        .open_files(&files)?
        .encode_file_descriptor_set();
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), &descriptors)?;

    let set = prost::Message::decode(descriptors.as_slice())?;
    tonic_prost_build::configure()
        .bytes(".hoshu.bus.v1")
        .include_file("hoshu.rs")
        .compile_fds(set)?;
    Ok(())
}

fn proto_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
