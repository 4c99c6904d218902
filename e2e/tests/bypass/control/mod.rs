//! Ringfence itself as the target: its listeners, its process, its policy and its records.

mod blocked_pid1;
mod capture_listener;
mod environment_secret;
mod gateway_addresses;
mod internal_names;
mod pid1;
mod policy_from_inside;
mod self_request_loop;
