//! Names and addresses: what a name is, what it resolves to, and who asks.

mod connect_to_raw_address;
mod denied_names_are_not_looked_up;
mod domain_fronting;
mod empty_allow_list;
mod encrypted_client_hello;
mod missing_server_name;
mod no_proxy_is_no_way_around;
mod null_in_socks_name;
mod other_spellings;
mod rebinding;
mod resolves_to_private_address;
mod server_name_for_unresolved_address;
mod wildcard_is_not_apex;
