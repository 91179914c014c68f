//! The migrations are part of the binary, and a new one is no change of any source file.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
