//! Agents use real APIs with no key inside: what they can do, what they cannot, and that nothing of a credential reaches them.

mod canary;
mod certificates;
mod cloud_tools;
mod desk;
pub(crate) mod encodings;
mod github;
mod github_refused;
mod graphql;
mod http2;
mod keys;
mod minted;
mod pages;
mod placeholder;
mod presets;
mod redirects;
mod reflection;
mod removed;
mod requests;
mod rotation;
mod signatures;
mod sources;
mod streams;
mod tokens;
mod trust;
