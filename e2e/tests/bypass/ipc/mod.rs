//! Ways out that are no TCP: other protocols, sockets of the machine's, and what was left open.

mod abstract_socket;
mod directory_as_stdin;
mod inherited_descriptors;
mod io_uring;
mod output_file;
mod raw_sockets;
mod socket_as_stdin;
mod udp;
mod unix_socket;
