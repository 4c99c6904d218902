//! Names and addresses: what a name is, what it resolves to, and who asks.

mod sni_mismatch_on_connect;
