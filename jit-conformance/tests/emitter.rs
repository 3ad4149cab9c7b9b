//! The emitter stays small, and docs/architecture.md says how large the backends are.

use std::path::{Path, PathBuf};

/// At most so many methods must be written for a new backend.
const REQUIRED: usize = 25;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Names of the methods of `trait Emitter` without a body, and of those with one.
fn methods() -> (Vec<String>, Vec<String>) {
    let source = std::fs::read_to_string(root().join("jit-core/src/emitter.rs")).unwrap();
    let body = &source[source.find("pub trait Emitter").expect("the trait")..];
    let body = &body[..body.find("\n}").expect("its end")];
    let (mut required, mut provided) = (Vec::new(), Vec::new());
    for (at, _) in body.match_indices("\n    fn ") {
        let rest = &body[at + 8..];
        let name = rest[..rest.find(['(', '<']).expect("a method")].to_owned();
        // What comes first behind the signature: a body or nothing.
        match rest.find(['{', ';']).map(|end| rest.as_bytes()[end]) {
            Some(b';') => required.push(name),
            _ => provided.push(name),
        }
    }
    (required, provided)
}

#[test]
fn the_emitter_has_few_required_methods() {
    let (required, provided) = methods();
    println!("{} required methods: {}", required.len(), required.join(", "));
    println!("{} provided methods: {}", provided.len(), provided.join(", "));
    assert!(required.iter().any(|name| name == "branch") && provided.iter().any(|name| name == "switch"));
    assert!((10..=REQUIRED).contains(&required.len()), "{} required methods: {required:?}", required.len());
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let said = format!("{} required methods", required.len());
    assert!(page.contains(&said), "docs/architecture.md does not say \"{said}\"");
}

/// Lines of the files below a folder, and of the longest of them.
fn lines(folder: &Path) -> (usize, usize) {
    let mut files = vec![folder.to_owned()];
    let (mut sum, mut longest) = (0, 0);
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let count = std::fs::read_to_string(&path).unwrap().lines().count();
            (sum, longest) = (sum + count, longest.max(count));
        }
    }
    (sum, longest)
}

/// The table `| `backend-x` | lines |` is right to a tenth and complete, and no file is longer than about 900 lines.
#[test]
fn the_table_of_backends_is_right() {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut backends: Vec<String> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("backend-") && root().join(name).join("src/lib.rs").exists())
        .collect();
    backends.sort();
    assert!(!backends.is_empty());
    for backend in backends {
        let (count, longest) = lines(&root().join(&backend).join("src"));
        println!("{backend}: {count} lines, {longest} in the longest file");
        let head = format!("| `{backend}` | ");
        let row = page.lines().find_map(|line| line.strip_prefix(&head)?.split(' ').next()?.parse::<usize>().ok());
        let row = row.unwrap_or_else(|| panic!("docs/architecture.md has no row \"{head}{count} |\""));
        assert!(row.abs_diff(count) <= count / 10, "docs/architecture.md: {backend} has {count} lines, not {row}");
        assert!(longest <= 950, "{backend} has a file of {longest} lines");
    }
}
