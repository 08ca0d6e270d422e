//! The one direction (docs: ARCHITECTURE.md): which crate may depend on which, and what the pure ones cannot reach.
#![forbid(unsafe_code)]

use cargo_metadata::{CrateType, DependencyKind, Metadata, MetadataCommand, Package, TargetKind};
use std::collections::BTreeSet;
use std::path::Path;

/// Every crate of the workspace, and the crates of it that each may depend on. A new one has to be entered here.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("sovang-core", &[]),
    ("sovang-storage", &["sovang-core"]),
    ("sovang-projection", &["sovang-core"]),
    ("sovang-recognition", &["sovang-core", "sovang-projection"]),
    ("sovang", &["sovang-core", "sovang-storage", "sovang-projection", "sovang-recognition"]),
    ("sovang-cli", &["sovang"]),
    // For tests alone: what is asserted of hostile bytes, at every layer.
    ("sovang-fuzz-targets", &["sovang-core", "sovang-storage", "sovang-projection", "sovang-recognition", "sovang"]),
];
/// Crates that reach files, the system, a clock, random numbers, threads of a runtime, or a terminal.
const IMPURE: &[&str] = &[
    "rustix",
    "libc",
    "nix",
    "getrandom",
    "rand",
    "tempfile",
    "fs4",
    "memmap2",
    "chrono",
    "tokio",
    "async-std",
    "mio",
    "clap",
    "comfy-table",
    "indicatif",
    "signal-hook",
    "csv",
    "rpassword",
    "ureq",
];
const PURE: &[&str] = &["sovang-core", "sovang-projection", "sovang-recognition"];
/// Only the command line knows a terminal.
const TERMINAL: &[&str] = &["clap", "comfy-table", "indicatif", "signal-hook", "rpassword", "anstream", "anstyle", "crossterm"];

fn metadata() -> Metadata {
    // Offline there is what the tests were built of, and nothing for other systems.
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let of_host =
        if cfg!(all(target_os = "linux", target_env = "gnu")) { vec!["--filter-platform".to_owned(), host] } else { Vec::new() };
    MetadataCommand::new()
        .manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .other_options([vec!["--offline".to_owned()], of_host].concat())
        .exec()
        .expect("cargo describes the workspace")
}
fn members(metadata: &Metadata) -> Vec<&Package> {
    let mut members = metadata.workspace_packages();
    members.sort_by_key(|package| package.name.to_string());
    members
}
/// What a package is built of, tests and build scripts aside.
fn imports(package: &Package) -> BTreeSet<&str> {
    package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal).map(|d| d.name.as_str()).collect()
}

#[test]
fn each_crate_depends_only_on_those_below_it() {
    let metadata = metadata();
    let members = members(&metadata);
    let names: BTreeSet<&str> = members.iter().map(|package| package.name.as_str()).collect();
    let listed: BTreeSet<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, listed, "the crates of the workspace are those of the table");
    for package in members {
        let (_, allowed) = MAY_IMPORT.iter().find(|(name, _)| *name == package.name.as_str()).expect("listed");
        for import in imports(package).intersection(&names) {
            assert!(allowed.contains(import), "{} must not depend on {import}", package.name);
        }
    }
}

#[test]
fn the_pure_crates_and_all_but_the_command_line_stay_what_they_are() {
    let metadata = metadata();
    for package in members(&metadata) {
        let imports = imports(package);
        let name = package.name.as_str();
        if PURE.contains(&name) {
            let impure: Vec<_> = imports.iter().filter(|import| IMPURE.contains(import)).collect();
            assert!(impure.is_empty(), "{name} must reach no file, clock, random source or terminal: {impure:?}");
        }
        if name != "sovang-cli" {
            let terminal: Vec<_> = imports.iter().filter(|import| TERMINAL.contains(import)).collect();
            assert!(terminal.is_empty(), "{name} must know no terminal: {terminal:?}");
        }
    }
}

/// A dependency's feature can bring in what no manifest names: the time crate can read a clock, uuid can draw at random.
#[test]
fn the_pure_crates_ask_no_dependency_for_a_clock_or_for_random_numbers() {
    let metadata = metadata();
    for package in members(&metadata).into_iter().filter(|package| PURE.contains(&package.name.as_str())) {
        for dependency in package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal) {
            for feature in &dependency.features {
                let refused =
                    ["v4", "v7", "fast-rng", "rng-getrandom", "local-offset", "rand", "getrandom", "clock", "wall-clock"];
                assert!(!refused.contains(&feature.as_str()), "{}: {}/{feature}", package.name, dependency.name);
            }
        }
    }
}

/// Types of the standard library that reach what the pure crates must not, in any source file of theirs.
#[test]
fn the_pure_crates_name_no_file_clock_or_thread_of_the_standard_library() {
    const REFUSED: &[&str] = &[
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "SystemTime",
        "Instant::now",
        "UtcDateTime::now",
        "OffsetDateTime::now",
    ];
    let metadata = metadata();
    for package in members(&metadata).into_iter().filter(|package| PURE.contains(&package.name.as_str())) {
        let sources = package.manifest_path.parent().expect("a crate's directory").join("src");
        each_source(sources.as_std_path(), &mut |path, text| {
            for (line, text) in (1..).zip(text.lines()) {
                let code = text.split("//").next().unwrap_or_default();
                for refused in REFUSED {
                    assert!(!code.contains(refused), "{}:{line} names {refused}", path.display());
                }
            }
        });
    }
}
fn each_source(directory: &Path, look: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(directory).expect("a directory of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            each_source(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&path, &std::fs::read_to_string(&path).expect("a source file"));
        }
    }
}

#[test]
fn no_crate_has_unsafe_code() {
    let metadata = metadata();
    for package in members(&metadata) {
        for target in &package.targets {
            let is_shipped = target.kind.iter().any(|kind| matches!(kind, TargetKind::Lib | TargetKind::Bin));
            if is_shipped && !target.crate_types.contains(&CrateType::ProcMacro) {
                let root = std::fs::read_to_string(&target.src_path).expect("a crate's root");
                assert!(root.contains("#![forbid(unsafe_code)]"), "{} does not forbid unsafe code", target.src_path);
            }
        }
        let manifest = std::fs::read_to_string(&package.manifest_path).expect("a manifest");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} does not take the workspace's lints", package.name);
    }
    let root = std::fs::read_to_string(metadata.workspace_root.join("Cargo.toml")).expect("the workspace's manifest");
    assert!(root.contains("unsafe_code = \"forbid\""), "the workspace forbids unsafe code");
}
