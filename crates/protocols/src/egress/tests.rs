//! Whole connections over loopback sockets: an agent on one side, an upstream on the other,
//! the real gateway, policy and adapters between them.

mod early;
mod forward;
mod http;
mod inside;
mod proxy;
pub(crate) mod stack;
mod tunnel;
