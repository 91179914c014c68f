//! The `mandate` binary. All of it is in the library, so that nothing is compiled twice.

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    mandate::cli::main()
}
