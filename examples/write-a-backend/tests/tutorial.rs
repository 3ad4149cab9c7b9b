//! The tutorial shows this package's code and no other.

use std::fs;
use std::path::Path;

#[test]
fn every_piece_of_the_tutorial_stands_in_this_package() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(package.join("../../docs/write-a-backend.md")).unwrap();
    let mut sources = String::new();
    for folder in ["src", "tests"] {
        for file in fs::read_dir(package.join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.file_name().is_some_and(|name| name != "tutorial.rs") {
                sources += &fs::read_to_string(path).unwrap();
            }
        }
    }
    let pieces: Vec<&str> =
        page.split("```rust\n").skip(1).map(|rest| rest.split_once("```").expect("it ends").0).collect();
    assert!(pieces.len() >= 10, "only {} pieces of code found", pieces.len());
    for piece in pieces {
        assert!(sources.contains(piece), "the tutorial shows code that is not there:\n{piece}");
    }
}

#[test]
fn the_backend_stays_short() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lines: usize = fs::read_dir(source)
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap().lines().count())
        .sum();
    assert!(lines < 600, "{lines} lines");
}
