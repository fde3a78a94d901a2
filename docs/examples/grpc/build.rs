//! Compiles the platform's .proto files in pure Rust: no protoc is needed.

use std::path::PathBuf;

const PROTO: &str = "../../../proto";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={PROTO}/hoshu");
    let files = protox::Compiler::new([PROTO])?
        .include_imports(true)
        .include_source_info(true)
        .open_files(
            ["registry", "thing"]
                .map(|noun| PathBuf::from(format!("{PROTO}/hoshu/{noun}/v1/{noun}.proto"))),
        )?
        .file_descriptor_set();
    tonic_prost_build::configure()
        .build_server(false)
        .include_file("hoshu.rs")
        .compile_fds(files)?;
    Ok(())
}
