//! A Rust program that embeds CPython and installs a backend into it:
//! `cargo run --example embed --features cpython [-- BACKEND]`.

use columba::cpython::{self, pyo3};
use pyo3::prelude::*;
use pyo3::types::PyDict;

const PROGRAM: &std::ffi::CStr = c"
def mandelbrot(width, height, rounds):
    inside = 0
    for y in range(height):
        for x in range(width):
            cr, ci = 3.0 * x / width - 2.0, 2.0 * y / height - 1.0
            zr = zi = 0.0
            for _ in range(rounds):
                zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
                if zr * zr + zi * zi > 4.0:
                    break
            else:
                inside += 1
    return inside

print(mandelbrot(120, 80, 200), 'points inside')
";

fn main() -> PyResult<()> {
    let backend = std::env::args().nth(1);
    Python::initialize();
    Python::attach(|py| {
        let columba = cpython::import(py)?;
        let options = PyDict::new(py);
        options.set_item("threshold", 0)?;
        if let Some(backend) = backend {
            options.set_item("backend", backend)?;
        }
        columba.call_method("enable", (), Some(&options))?;
        let globals = PyDict::new(py);
        py.run(PROGRAM, Some(&globals), None)?;
        let kernel = globals.get_item("mandelbrot")?.expect("the program defines it");
        println!("{}", columba.call_method1("info", (kernel,))?.repr()?);
        Ok(())
    })
}
