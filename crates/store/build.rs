//! Makes Cargo rebuild this crate when a migration is added: `sqlx::migrate!` reads the folder
//! at compile time, and the compiler alone does not notice a new file in it.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
