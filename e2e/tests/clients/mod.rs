//! Real clients, unchanged, through every way into the gateway: captured on the way, by the explicit proxy, and by SOCKS5.

mod bulk;
mod chromium;
mod curl;
mod gateway_verb;
mod git;
mod install;
mod intercept;
mod java;
mod many;
mod names;
mod node;
mod other_protocols;
mod python;
mod refusal;
mod revocation;
mod site;
mod tools;
mod websocket;
