//! One file for each way around the sandbox or the gateway, named for the attack. Each asserts that the block holds (nothing
//! arrived) and that the detector fires (the record says why).

mod control;
mod filesystem;
mod http;
mod ipc;
mod names;
mod privilege;
