//! With the feature `cpython`, programs find the shared library of the interpreter they were built for.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "cpython")]
    pyo3_build_config::add_libpython_rpath_link_args();
}
