//! The house's layers: each crate may use only what stands before it, and a service never another service.

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// From the bottom up. Crates of one layer do not use each other.
const LAYERS: &[&[&str]] = &[
    &["alink", "thing-model"],
    &["proto"],
    &["chassis"],
    &["bus"],
    &[
        "gateway",
        "registry",
        "tsl-validation",
        "device-log",
        "ota",
        "remote-config",
        "online-debug",
        "api",
    ],
    &["testbench"],
    &["hoshu"],
    // Looks for input that breaks what stands below it; nobody uses it.
    &["fuzz"],
];
/// Look at the house from outside, and so know the device protocol at most.
const OUTSIDE: &[&str] = &["load", "grpc-quick-start"];

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|crates| crates.contains(&name))
}

fn house() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .no_deps()
        .other_options(vec!["--offline".into()])
        .exec();
    metadata.expect("cargo metadata").packages
}

#[test]
fn every_crate_has_its_layer() {
    for package in house() {
        let name = package.name.as_str();
        assert!(
            layer(name).is_some() || OUTSIDE.contains(&name),
            "{name} stands in no layer: add it to the house's plan"
        );
    }
}

#[test]
fn a_crate_uses_only_what_stands_below_it() {
    let house = house();
    let is_ours = |name: &str| house.iter().any(|package| package.name.as_str() == name);
    for package in &house {
        let name = package.name.as_str();
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| is_ours(&dependency.name))
        {
            let used = dependency.name.as_str();
            let allowed = match (layer(name), layer(used)) {
                // Only tests use the testbench.
                _ if used == "testbench" => dependency.kind == DependencyKind::Development,
                (Some(user), Some(used)) => used < user,
                _ => OUTSIDE.contains(&name) && used == "alink",
            };
            assert!(allowed, "{name} may not use {used}");
        }
    }
}
