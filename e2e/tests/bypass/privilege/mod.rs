//! More rights than were given. `ringfence prove` tries the system calls; these are the tools that people would use.

mod device_nodes;
mod fork_bomb;
mod kernel_switches;
mod mounting;
mod set_user_id;
mod user_namespaces;
