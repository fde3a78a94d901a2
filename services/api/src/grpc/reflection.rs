//! What gRPC reflection shows: the public packages, and what they are made of.

use anyhow::Context;
use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use tonic_reflection::server::{Builder, v1, v1alpha};

use crate::contract::public_noun;

pub(super) fn v1() -> anyhow::Result<v1::ServerReflectionServer<impl v1::ServerReflection>> {
    builder()?.build_v1().context("reflection cannot be served")
}

/// What most clients still ask for.
pub(super) fn v1alpha()
-> anyhow::Result<v1alpha::ServerReflectionServer<impl v1alpha::ServerReflection>> {
    builder()?
        .build_v1alpha()
        .context("reflection cannot be served")
}

fn builder() -> anyhow::Result<Builder<'static>> {
    Ok(Builder::configure()
        .register_file_descriptor_set(public_files()?)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET))
}

fn public_files() -> anyhow::Result<FileDescriptorSet> {
    let mut set = FileDescriptorSet::decode(proto::DESCRIPTORS)?;
    set.file.retain(is_public);
    Ok(set)
}

/// Files of other makers are needed to read ours.
fn is_public(file: &FileDescriptorProto) -> bool {
    let package = file.package();
    !package.starts_with("hoshu.") || public_noun(package).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_packages_are_not_shown() {
        let set = public_files().unwrap();
        let packages: Vec<&str> = set.file.iter().map(FileDescriptorProto::package).collect();
        assert!(packages.contains(&"hoshu.registry.v1"));
        assert!(
            packages.contains(&"hoshu.rest.v1"),
            "its options are imported"
        );
        assert!(
            packages
                .iter()
                .all(|package| !package.contains("internal") && *package != "hoshu.bus.v1"),
            "{packages:?}"
        );
    }

    #[test]
    fn no_public_file_needs_a_hidden_one() {
        let set = public_files().unwrap();
        let names: Vec<&str> = set.file.iter().map(FileDescriptorProto::name).collect();
        for file in &set.file {
            for needed in &file.dependency {
                assert!(
                    names.contains(&needed.as_str()),
                    "{} needs {needed}",
                    file.name()
                );
            }
        }
    }
}
